"""The four services' real processors over real databases in one process, without a broker."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import event, insert, select

from services.load import handlers as load
from services.load.store import Tables as LoadTables
from services.periodization import handlers as periodization
from services.periodization.store import Tables as PeriodizationTables
from services.recovery import handlers as recovery
from services.recovery.store import Tables as RecoveryTables
from services.scheduling import handlers as scheduling
from services.scheduling.store import Tables as SchedulingTables
from shared.bus.delivery.outbox import OutboxEntry
from shared.bus.delivery.processor import Processor
from shared.bus.routes import Route, Timer
from shared.bus.transport.hub import HUB
from shared.db.engine import Database
from shared.db.migrations import create_all
from shared.messages.envelope import EVENTS_EXCHANGE, Delivery, type_of
from shared.rules.evaluation.tenant_rules import TenantRules

TENANT = "bench"
BATCH = 200
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
_MADE_OF: Mapping[str, tuple[Sequence[Route], Sequence[Timer], Any]] = {
    "load": (load.ROUTES, load.TIMERS, LoadTables.metadata),
    "recovery": (recovery.ROUTES, recovery.TIMERS, RecoveryTables.metadata),
    "periodization": (periodization.ROUTES, periodization.TIMERS, PeriodizationTables.metadata),
    "scheduling": (scheduling.ROUTES, scheduling.TIMERS, SchedulingTables.metadata),
}


class _SameRules:
    """One snapshot for every tenant and day."""

    def __init__(self, rules: TenantRules) -> None:
        self._rules = rules

    def for_tenant(self, tenant: str) -> TenantRules:
        return self._rules

    def as_of(self, tenant: str, day: object) -> TenantRules:
        return self._rules


class Room:
    """One service: its processor, its database, and how many SQL statements it has sent."""

    def __init__(self, service: str, url: str, rules: TenantRules) -> None:
        routes, self.timers, self._metadata = _MADE_OF[service]
        self.service = service
        self.now = NOW
        self.statements: Counter[str] = Counter()
        self.database = Database(service, url)
        create_all(self.database, self._metadata)
        # No limit of a transaction's time: a busy machine would cut the batches, and with them the figures.
        self.processor = Processor(
            service, routes, self.database, _SameRules(rules), lambda: self.now, budget_s=3600, hub=HUB
        )
        event.listen(self.database.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements[statement] += 1

    def take(self, deliveries: Sequence[Delivery]) -> list[OutboxEntry]:
        """In full batches, as a queue that is never empty delivers them; what is to be published."""
        published: list[OutboxEntry] = []
        at = 0
        while at < len(deliveries):
            batch = self.processor.process(deliveries[at : at + BATCH])
            if not batch.done:
                raise RuntimeError(f"{self.service} takes nothing")
            published += batch.messages
            at += batch.done
        bad = [one.message.routing_key for one in published if "rejected" in one.message.routing_key]
        bad += [one.message.routing_key for one in published if one.message.exchange not in (EVENTS_EXCHANGE, "")]
        if bad:
            raise RuntimeError(f"{self.service} refused or put back {Counter(bad)}")
        return published

    def copy_athlete(self, source: str, names: Sequence[str]) -> None:
        """Gives each of ``names`` what ``source`` has: the past of many for the price of one."""
        state = [
            table
            for table in self._metadata.sorted_tables
            if "athlete" in table.c and table.name not in ("inbox", "outbox")
        ]
        with self.database.transaction() as db:
            for table in state:
                rows = [dict(row) for row in db.execute(select(table).where(table.c.athlete == source)).mappings()]
                if rows:
                    for name in names:
                        db.execute(insert(table), [{**row, "athlete": name} for row in rows])


class House:
    """All four."""

    def __init__(self, url: str, rules: TenantRules) -> None:
        self.rooms = {service: Room(service, url, rules) for service in _MADE_OF}
        self._sent = 0

    def __getitem__(self, service: str) -> Room:
        return self.rooms[service]

    def command(self, key: str, body: Mapping[str, Any]) -> Delivery:
        return self._delivery("command", key, json.dumps(body).encode())

    def heard(self, published: Sequence[OutboxEntry], *names: str) -> list[Delivery]:
        """Published events of these names (``load.load-assessed``) as they reach another service."""
        return [
            Delivery(
                "event",
                one.message.routing_key,
                one.message.body,
                "application/json",
                headers=one.message.headers,
                correlation_id=one.message.correlation_id,
            )
            for one in published
            if one.message.routing_key.partition(".")[2] in names
        ]

    def close(self) -> None:
        for room in self.rooms.values():
            room.database.dispose()

    def _delivery(self, source: Literal["command", "event"], key: str, body: bytes) -> Delivery:
        self._sent += 1
        headers = {
            "ce-id": f"m{self._sent:07d}",
            "ce-source": "/bench",
            "ce-type": type_of(key),
            "ce-specversion": "1.0",
            "ce-time": (NOW - timedelta(hours=1) + timedelta(milliseconds=self._sent)).isoformat(),
        }
        return Delivery(source, f"{TENANT}.{key}", body, "application/json", headers=headers, user_id=TENANT)


@contextmanager
def house(url: str, rules: TenantRules) -> Iterator[House]:
    opened = House(url, rules)
    try:
        yield opened
    finally:
        opened.close()


def sqlite_in(folder: Path) -> str:
    return f"sqlite:///{folder}/{{service}}.sqlite3"
