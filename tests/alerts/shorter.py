"""The shipped alerts and Prometheus configuration at the pace of a test: shorter times, this machine's addresses.

Nothing else is changed: expressions, thresholds, labels and job names are those that are deployed.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.processes import ROOT

SHIPPED = ROOT / "deploy" / "prometheus"
FASTER = 120
"""How often faster than deployed: ten minutes become five seconds."""
MIN_FOR_S = 2
MIN_WINDOW_S = 10
"""Ten scrapes, so that a rate has something to go by on a machine that is busy, too."""
SCRAPE_S = 1
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_WINDOW = re.compile(r"(?<=\[)[0-9a-z]+(?=[\]:])|(?<=offset )[0-9a-z]+")


def shorter(duration: str, at_least_s: int) -> str:
    """``10m`` -> ``5s``, but never below ``at_least_s``."""
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(duration))
    return f"{max(at_least_s, round(seconds / FASTER))}s"


def shortened(rules: Mapping[str, Any]) -> dict[str, Any]:
    """A rule file whose ``for`` and whose windows (``[10m]``, ``offset 10m``) are shorter."""

    def of(rule: Mapping[str, Any]) -> dict[str, Any]:
        expression = _WINDOW.sub(lambda found: shorter(found.group(), MIN_WINDOW_S), rule["expr"])
        waits = {"for": shorter(rule["for"], MIN_FOR_S)} if "for" in rule else {}
        return {**rule, "expr": expression, **waits}

    return {"groups": [{**group, "rules": [of(rule) for rule in group["rules"]]} for group in rules["groups"]]}


def shipped_alerts() -> dict[str, dict[str, Any]]:
    """Every alert of ``deploy/prometheus``, by name."""
    files = [_read(file) for file in sorted((SHIPPED / "alerts").glob("*.yml"))]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules}


def write_configuration(folder: Path, targets: Path, broker_metrics: str) -> Path:
    """The shipped configuration in ``folder``: replicas from the file ``targets`` instead of DNS.

    ``broker_metrics``: host and port of the broker's Prometheus plugin.
    """
    writer = YAML()
    (folder / "alerts").mkdir()
    for file in sorted((SHIPPED / "alerts").glob("*.yml")):
        with (folder / "alerts" / file.name).open("w") as stream:
            writer.dump(shortened(_read(file)), stream)
    whole = _read(SHIPPED / "prometheus.yml")
    pace = f"{SCRAPE_S}s"
    whole["global"] = {"scrape_interval": pace, "evaluation_interval": pace, "scrape_timeout": pace}
    for job in whole["scrape_configs"]:
        if job.pop("dns_sd_configs", None) is not None:
            job["file_sd_configs"] = [{"files": [str(targets)], "refresh_interval": pace}]
        for static in job.get("static_configs", ()):
            static["targets"] = [broker_metrics if host.startswith("broker:") else host for host in static["targets"]]
    with (folder / "prometheus.yml").open("w") as stream:
        writer.dump(whole, stream)
    return folder / "prometheus.yml"


def _read(file: Path) -> Any:
    return YAML(typ="safe").load(file)
