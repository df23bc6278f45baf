"""The scheduling service's handlers on a real SQLite database, the shipped rules, and a clock that tests set."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.scheduling.handlers import ROUTES, TIMERS
from services.scheduling.store import Tables
from shared.bus.delivery.unit_of_work import EmittedEvent, UnitOfWork
from shared.bus.routes import Incoming
from shared.db.engine import Database
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules

RULES = Path(__file__).resolve().parents[4] / "rules"
ROUTE = {route.key: route for route in ROUTES}
MONDAY = "2026-03-09"
"""The week that most tests plan; the desk's clock stands at the Friday before it."""


@pytest.fixture(scope="session")
def rules() -> Iterator[TenantRules]:
    with open_rules(RULES, evaluator="reference") as opened:
        yield opened


class SchedulingDesk:
    """Sends messages to the handlers as the bus would, each in its own transaction; keeps what they emitted."""

    def __init__(self, folder: Path, rules: TenantRules, now: datetime, url: str | None = None) -> None:
        """``url``: a database whose tables are there already; by default a new SQLite file in ``folder``."""
        self.database = Database("scheduling", url or f"sqlite:///{folder}/{{service}}.db", durable=False)
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
            context = UnitOfWork("scheduling", tenant, db, self.rules, lambda: self.now)
            outcome = route.handle(context, message)
        self.emitted += context.emitted
        return outcome.data if outcome is not None else {}

    def tick(self, tenant: str = "acme") -> None:
        """Every timer once."""
        for timer in TIMERS:
            with self.database.transaction() as db:
                context = UnitOfWork("scheduling", tenant, db, self.rules, lambda: self.now)
                timer.handle(context, timer.due(context))
            self.emitted += context.emitted

    def events(self, name: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.emitted if event.name == name]

    def put(self, athlete: str = "a1", **fields: Any) -> Mapping[str, Any]:
        return self.send("athlete.put", {"athlete": athlete, "timezone": "Europe/Berlin", **fields})

    def plan(self, sessions: list[dict[str, Any]] | None = None, week_start: str = MONDAY) -> Mapping[str, Any]:
        body: dict[str, Any] = {"athlete": "a1", "week_start": week_start}
        return self.send("scheduling.plan-week", body if sessions is None else {**body, "sessions": sessions})

    def week(self, week_start: str = MONDAY, **asked: Any) -> Mapping[str, Any]:
        return self.send("scheduling.get-week", {"athlete": "a1", "week_start": week_start, **asked})


@pytest.fixture
def open_desk(tmp_path: Path, rules: TenantRules) -> Iterator[Callable[[], SchedulingDesk]]:
    """Opens as many desks as a test needs, each with a database of its own."""
    opened: list[SchedulingDesk] = []

    def open_one() -> SchedulingDesk:
        folder = tmp_path / f"desk{len(opened)}"
        folder.mkdir()
        opened.append(SchedulingDesk(folder, rules, datetime(2026, 3, 6, 9, 0, tzinfo=UTC)))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.database.dispose()


@pytest.fixture
def desk(open_desk: Callable[[], SchedulingDesk]) -> SchedulingDesk:
    return open_desk()
