"""The shipped packs, the same after a coach's edit, and one athlete's use cases on a real SQLite database."""

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.periodization.handlers import ROUTES, TIMERS
from services.periodization.store import Tables
from shared.bus.delivery.unit_of_work import Causation, UnitOfWork
from shared.bus.routes import Accepted, Answered, Incoming
from shared.db.engine import Database
from shared.messages.validation import parse
from shared.rules.decisions import Rules
from shared.rules.lifecycle.rule_book import open_rules

RULES_DIR = Path(__file__).resolve().parents[4] / "rules"


@pytest.fixture(scope="session")
def rules() -> Iterator[Rules]:
    with open_rules(RULES_DIR, evaluator="reference") as opened:
        yield opened


@pytest.fixture
def edited_rules(tmp_path: Path) -> Iterator[Callable[[str, str, str], Rules]]:
    """The shipped packs with one text of one of them replaced, as a coach would do it."""
    numbers = itertools.count()
    with ExitStack() as opened:

        def edit(pack: str, old: str, new: str) -> Rules:
            folder = tmp_path / f"rules-{next(numbers)}"
            shutil.copytree(RULES_DIR, folder)
            path = folder / "base" / f"{pack}.yaml"
            text = path.read_text()
            assert text.count(old) == 1, f"{text.count(old)} times in {pack}.yaml: {old}"
            path.write_text(text.replace(old, new))
            return opened.enter_context(open_rules(folder, evaluator="reference"))

        yield edit


class Periodization:
    """The service without a bus: hands messages to their handlers, each in its own transaction."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self.database = database
        self.rules = rules
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.late_replies: list[Mapping[str, Any]] = []
        self._routes = {route.key: route for route in ROUTES}
        self._numbers = itertools.count(1)

    def take(
        self,
        key: str,
        body: Mapping[str, Any],
        *,
        tenant: str = "acme",
        at: datetime | None = None,
        id: str | None = None,
        correlation_id: str | None = None,
        reply_to: str | None = None,
    ) -> Accepted | Answered | None:
        route = self._routes[key]
        message_id = id or f"m{next(self._numbers):05}"
        incoming = Incoming(
            tenant, message_id, key, at or self.now, parse(route.model, body), body.get("athlete"), correlation_id
        )
        cause = Causation(message_id, key, correlation_id, None, reply_to)
        with self.database.transaction() as db:
            context = UnitOfWork("periodization", tenant, db, self.rules, lambda: self.now, cause)
            outcome = route.handle(context, incoming)
        self._collect(context)
        return outcome

    def tick(self, tenant: str = "acme") -> None:
        for timer in TIMERS:
            with self.database.transaction() as db:
                context = UnitOfWork("periodization", tenant, db, self.rules, lambda: self.now)
                timer.handle(context, timer.due(context))
            self._collect(context)

    def answer(self, key: str, body: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
        outcome = self.take(key, body, **more)
        assert isinstance(outcome, Answered)
        return outcome.data

    def emitted(self, name: str) -> list[Mapping[str, Any]]:
        return [data for emitted, data in self.events if emitted == name]

    def _collect(self, context: UnitOfWork) -> None:
        self.events += [(event.name, event.data) for event in context.emitted]
        self.late_replies += [reply.outcome.data for reply in context.late_replies]


@pytest.fixture
def periodization(tmp_path: Path, rules: Rules) -> Iterator[Periodization]:
    database = Database("periodization", f"sqlite:///{tmp_path}/periodization.sqlite", durable=False)
    Tables.metadata.create_all(database.engine)
    yield Periodization(database, rules)
    database.dispose()
