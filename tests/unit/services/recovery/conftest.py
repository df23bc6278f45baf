"""The recovery service's handlers on a real SQLite database, with the shipped rules and a clock that the test sets."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.recovery.handlers import ROUTES
from services.recovery.store import Tables
from shared.bus.delivery.unit_of_work import EmittedEvent, UnitOfWork
from shared.bus.routes import Incoming
from shared.db.engine import Database
from shared.messages.values import Wellness
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules

RULES = Path(__file__).resolve().parents[4] / "rules"
ROUTE = {route.key: route for route in ROUTES}
TODAY = date(2026, 4, 1)


@pytest.fixture(scope="session")
def rules() -> Iterator[TenantRules]:
    with open_rules(RULES, evaluator="reference") as opened:
        yield opened


@pytest.fixture(scope="session")
def settings(rules: TenantRules) -> Mapping[str, Any]:
    return rules.settings("recovery")


def mornings(days: int, **fields: Any) -> list[Wellness]:
    """One morning a day, the last of them today; a field may be a function of "days ago", None = not recorded."""
    rows = []
    for ago in range(days - 1, -1, -1):
        given: dict[str, Any] = {"date": TODAY - timedelta(days=ago)}
        for name, value in fields.items():
            told = value(ago) if isinstance(value, Callable) else value
            if told is not None:
                given[name] = told
        rows.append(Wellness(**given))
    return rows


class RecoveryDesk:
    """Sends messages to the handlers as the bus would, each in its own transaction; keeps what they emitted."""

    def __init__(self, folder: Path, rules: TenantRules, now: datetime, url: str | None = None) -> None:
        """``url``: a database whose tables are there already; by default a new SQLite file in ``folder``."""
        self.database = Database("recovery", url or f"sqlite:///{folder}/{{service}}.db", durable=False)
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
            context = UnitOfWork("recovery", tenant, db, self.rules, lambda: self.now)
            outcome = route.handle(context, message)
        self.emitted += context.emitted
        return outcome.data if outcome is not None else {}

    def events(self, name: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.emitted if event.name == name]

    def put(self, athlete: str = "a1", timezone: str = "Europe/Berlin") -> Mapping[str, Any]:
        return self.send("athlete.put", {"athlete": athlete, "timezone": timezone})

    def morning(self, ago: int = 0, **fields: Any) -> Mapping[str, Any]:
        day = (TODAY - timedelta(days=ago)).isoformat()
        return self.send("recovery.record-wellness", {"athlete": "a1", "date": day, **fields})

    def readiness(self, **asked: Any) -> Mapping[str, Any]:
        return self.send("recovery.get-readiness", {"athlete": "a1", **asked})


@pytest.fixture
def open_desk(tmp_path: Path, rules: TenantRules) -> Iterator[Callable[[], RecoveryDesk]]:
    """Opens as many desks as a test needs, each with a database of its own."""
    opened: list[RecoveryDesk] = []

    def open_one() -> RecoveryDesk:
        folder = tmp_path / f"desk{len(opened)}"
        folder.mkdir()
        opened.append(RecoveryDesk(folder, rules, datetime(2026, 4, 1, 6, 0, tzinfo=UTC)))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.database.dispose()


@pytest.fixture
def desk(open_desk: Callable[[], RecoveryDesk]) -> RecoveryDesk:
    return open_desk()
