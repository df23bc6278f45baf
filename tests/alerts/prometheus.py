"""A Prometheus of the tests' own, and what it says of its alerts."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.broker import free_port

START_S = 30


class Prometheus:
    """Loads ``configuration``; keeps what it stores in ``folder``."""

    def __init__(self, folder: Path, configuration: Path) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise SystemExit("make alerts needs Prometheus: apt-get install prometheus")
        self._address = f"127.0.0.1:{free_port()}"
        self._log = folder / "prometheus.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={configuration}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={self._address}",
                    "--log.level=warn",
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Prometheus did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def states(self, alert: str, labels: Mapping[str, str]) -> set[str]:
        """Of the ``alert``'s instances that carry ``labels``: ``pending``, ``firing``; empty when it is quiet."""
        found = self._ask("alerts")["alerts"]
        return {
            one["state"]
            for one in found
            if one["labels"]["alertname"] == alert and labels.items() <= one["labels"].items()
        }

    def loaded(self) -> set[str]:
        """The names of the alerts that it evaluates."""
        groups = self._ask("rules")["groups"]
        return {rule["name"] for group in groups for rule in group["rules"]}

    def value(self, expression: str) -> float | None:
        """The one value that ``expression`` has now, or None."""
        found = self._ask(f"query?query={quote(expression)}")["result"]
        return float(found[0]["value"][1]) if found else None

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"http://{self._address}/api/v1/{what}", timeout=10) as answer:
            return json.load(answer)["data"]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
