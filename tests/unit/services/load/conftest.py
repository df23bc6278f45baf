"""The load service's handlers on a real SQLite database, with the shipped rules and a clock that the test sets."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.load.handlers import ROUTES, TIMERS
from services.load.store import Tables
from shared.bus.delivery.unit_of_work import EmittedEvent, UnitOfWork
from shared.bus.routes import Incoming
from shared.db.engine import Database
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules

RULES = Path(__file__).resolve().parents[4] / "rules"
ROUTE = {route.key: route for route in ROUTES}


@pytest.fixture(scope="session")
def rules() -> Iterator[TenantRules]:
    with open_rules(RULES, evaluator="reference") as opened:
        yield opened


@pytest.fixture(scope="session")
def settings(rules: TenantRules) -> Mapping[str, Any]:
    return rules.settings("recovery")


class LoadDesk:
    """Sends messages to the handlers as the bus would, each in its own transaction; keeps what they emitted."""

    def __init__(self, folder: Path, rules: TenantRules, now: datetime, url: str | None = None) -> None:
        """``url``: a database whose tables are there already; by default a new SQLite file in ``folder``."""
        self.database = Database("load", url or f"sqlite:///{folder}/{{service}}.db", durable=False)
        if url is None:
            Tables.metadata.create_all(self.database.engine)
        self.rules = rules
        self.now = now
        self.emitted: list[EmittedEvent] = []
        self._sent = 0

    def send(
        self,
        key: str,
        body: Mapping[str, Any],
        *,
        at: datetime | None = None,
        id: str | None = None,
        tenant: str = "acme",
    ) -> Mapping[str, Any]:
        """The reply's data. ``at`` and ``id`` are ce-time and ce-id; by default each is newer than the last."""
        self._sent += 1
        route = ROUTE[key]
        message = Incoming(
            tenant=tenant,
            id=id or f"m{self._sent:05d}",
            key=key,
            time=at or self.now + timedelta(microseconds=self._sent),
            body=route.model.model_validate(body),
        )
        with self.database.transaction() as db:
            context = UnitOfWork("load", tenant, db, self.rules, lambda: self.now)
            outcome = route.handle(context, message)
        self.emitted += context.emitted
        return outcome.data if outcome is not None else {}

    def tick(self, tenant: str = "acme") -> list[EmittedEvent]:
        """One turn of the timer; what it emitted."""
        with self.database.transaction() as db:
            context = UnitOfWork("load", tenant, db, self.rules, lambda: self.now)
            for timer in TIMERS:
                timer.handle(context, timer.due(context))
        self.emitted += context.emitted
        return context.emitted

    def events(self, name: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.emitted if event.name == name]

    def put(self, athlete: str = "a1", timezone: str = "Europe/Berlin", **fields: Any) -> Mapping[str, Any]:
        return self.send("athlete.put", {"athlete": athlete, "timezone": timezone, **fields})

    def load(self, athlete: str = "a1", **asked: Any) -> Mapping[str, Any]:
        return self.send("load.get-load", {"athlete": athlete, **asked})


@pytest.fixture
def desk(tmp_path: Path, rules: TenantRules) -> Iterator[LoadDesk]:
    made = LoadDesk(tmp_path, rules, datetime(2026, 4, 1, 20, 0, tzinfo=UTC))
    yield made
    made.database.dispose()


def easy_run(session: str, day: date, minutes: float = 50, rpe: float | None = 4, **more: Any) -> dict[str, Any]:
    """A run at 17:00 UTC of ``day``, as a message names it."""
    body: dict[str, Any] = {
        "session": session,
        "start": f"{day.isoformat()}T17:00:00Z",
        "duration_min": minutes,
        "kind": "run",
        "type": "easy",
        **more,
    }
    return body if rpe is None else {**body, "rpe": rpe}
