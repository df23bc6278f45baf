"""The same athlete, asked of the services in this process and of an athlete file.

@given(athletes())
def test_…(services: Services, rules: Rules, athlete: RandomAthlete) -> None:
    ask = services.sent(athlete)
    assert ask("load.get-load")["streams"] == offline(athlete, rules).load().as_json()["streams"]
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from shared.rules.decisions import Rules
from tandem.offline.pipeline import OfflineAthlete
from tandem.runtime.embedded import Embedded
from tandem.runtime.service_classes import all_services
from tests.random_athletes import NOW, RandomAthlete, Sent

RULES: Final = Path(__file__).resolve().parents[1] / "rules"
TENANT: Final = "acme"


def offline(athlete: RandomAthlete, rules: Rules) -> OfflineAthlete:
    """The athlete as the offline commands read one."""
    return OfflineAthlete(athlete.located, rules, athlete.today)


def different(of_service: Any, of_file: Any, where: str = "") -> list[str]:
    """Where two answers differ, as JSON holds them; empty when they are equal."""
    if isinstance(of_service, dict) and isinstance(of_file, dict):
        names = sorted({*of_service, *of_file})
        pairs = [(f"{where}/{name}", of_service.get(name, ...), of_file.get(name, ...)) for name in names]
    elif isinstance(of_service, list) and isinstance(of_file, list | tuple) and len(of_service) == len(of_file):
        pairs = [(f"{where}/{at}", *pair) for at, pair in enumerate(zip(of_service, of_file, strict=True))]
    else:
        same = of_service == (list(of_file) if isinstance(of_file, tuple) else of_file)
        return [] if same else [f"{where}: the service says {of_service!r}, the file {of_file!r}"]
    return [difference for place, *pair in pairs for difference in different(*pair, place)]


class Services:
    """The four services in this process, at ``NOW``; every athlete is sent under a name of its own."""

    def __init__(self, running: Embedded) -> None:
        self.running = running
        self._numbers = itertools.count(1)

    def sent(self, athlete: RandomAthlete, *then: Sent) -> Callable[..., dict[str, Any]]:
        """All of the athlete arrives, and ``then`` one by one what comes after it. Returns how to ask about it: the
        query's key and data without ``athlete``, and so the answer."""
        name = f"random-{next(self._numbers)}"
        for group in (athlete.commands(), *([one] for one in then)):
            for one in group:
                self.running.send(TENANT, one.key, {**one.data, "athlete": name}, time=NOW - one.ago)
            self.running.settle()
        assert self.running.parked() == 0
        refused = [reply.data for reply in self.running.replies.values() if reply.outcome == "rejected"]
        assert refused == []
        self.running.events.clear()

        def ask(key: str, **data: Any) -> dict[str, Any]:
            answer = dict(self.running.ask(TENANT, key, {"athlete": name, **data}))
            assert answer.pop("athlete", name) == name
            return answer

        return ask


@contextmanager
def running_services(folder: Path, names: Sequence[str] = ("load", "recovery")) -> Iterator[Services]:
    chosen = [service for service in all_services() if service.name in names]
    with Embedded(folder, RULES, lambda: NOW, chosen, evaluator="reference") as running:
        yield Services(running)
