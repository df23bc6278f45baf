"""The inbox: which messages were taken, by which handler and with what outcome, so that a repetition has no effect.

Also how a batch begins and what it writes at its end, and for how long delivery remembers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, MetaData, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from shared.bus.delivery.outbox import Outbox, OutboxEntry
from shared.bus.routes import DUPLICATE, ERASED
from shared.db.bulk import Rows, as_array, as_stored, find_rows, find_sql, write_rows
from shared.db.delivery_tables import InboxRow, TenantRow
from shared.db.engine import Database
from shared.db.locks import LOCK_SQL, lock_keys
from shared.db.row_security import ACT_SQL, act_for, acts_for
from shared.db.tables import table_of
from shared.db.upserts import insert_missing

BEGUN = "begun"
"""Stands for the handler of a mark that says how often a message was begun; see ``suspects``. No route has a key
without a dot."""
Identity = tuple[str, str]
"""(tenant, message id); whose source may differ."""


PENDING = "pending"
ERASE = "athlete.erase"
"""After this command the delivery tables, too, must not name the athlete."""


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One message, one handler, its outcome: accepted, rejected, later (the reply comes later) or pending."""

    tenant: str
    message_id: str
    source: str
    handler: str
    body_hash: str
    athlete: str | None
    outcome: str
    reply: bytes | None
    received_at: datetime

    @property
    def first_reply(self) -> Mapping[str, Any]:
        """What the sender of a repetition hears; of an erased athlete no reply is kept, and one given late never is."""
        if self.reply:
            reply: dict[str, Any] = json.loads(self.reply)
            return reply
        is_erased = self.outcome != "later" and self.athlete is None and self.handler != ERASE
        return (ERASED if is_erased else DUPLICATE).data


_COLUMNS = tuple(InboxEntry.__slots__)
_IDENTITY = ("tenant", "message_id")
_TABLE = table_of(InboxRow)
_values = attrgetter(*_COLUMNS)


class Inbox:
    FIND_SQL = find_sql("inbox", _COLUMNS, _IDENTITY, ("%(tenants)s", "%(ids)s"))
    """PostgreSQL: what ``find`` reads, to be asked together with other things; see ``from_sql``."""

    def find(self, db: Session, ids: Sequence[Identity]) -> dict[Identity, list[InboxEntry]]:
        """The rows of these messages, whatever their handler."""
        return _by_identity(find_rows(db, _TABLE, _COLUMNS, _IDENTITY, ids))

    def from_sql(self, result: CursorResult[Any]) -> dict[Identity, list[InboxEntry]]:
        """The result of FIND_SQL as that of ``find``."""
        return _by_identity(as_stored(_TABLE, _COLUMNS, result))

    def rows(self, rows: Sequence[InboxEntry]) -> Rows:
        """To be written."""
        return Rows(_TABLE, _COLUMNS, [_values(row) for row in rows])

    def pending(self, db: Session, tenant: str, athlete: str) -> list[InboxEntry]:
        """Commands about the athlete that were told to be pending, oldest first."""
        theirs = (InboxRow.tenant == tenant) & (InboxRow.athlete == athlete) & (InboxRow.outcome == PENDING)
        rows = db.execute(select(*(_TABLE.c[name] for name in _COLUMNS)).where(theirs).order_by(InboxRow.received_at))
        return [InboxEntry(*row) for row in rows]

    def settle(self, db: Session, rows: Sequence[InboxEntry]) -> None:
        """They are pending no more."""
        for row in rows:
            its = (InboxRow.tenant == row.tenant) & (InboxRow.message_id == row.message_id)
            of = its & (InboxRow.source == row.source) & (InboxRow.handler == row.handler)
            db.execute(update(_TABLE).where(of).values(outcome="accepted"))

    def strip_athlete(self, db: Session, tenant: str, athlete: str) -> None:
        """Ids and hashes of an erased athlete's messages stay, so that a repetition brings nothing back."""
        theirs = (InboxRow.tenant == tenant) & (InboxRow.athlete == athlete)
        db.execute(update(_TABLE).where(theirs).values(athlete=None, reply=None))

    def delete_older(self, db: Session, before: datetime, limit: int) -> int:
        """Deletes at most ``limit`` rows received before ``before``; returns how many."""
        row = (InboxRow.tenant, InboxRow.message_id, InboxRow.source, InboxRow.handler)
        old = select(*row).where(InboxRow.received_at < before).limit(limit)
        return cast(CursorResult[Any], db.execute(delete(_TABLE).where(tuple_(*row).in_(old)))).rowcount


def _by_identity(rows: Iterable[Sequence[Any]]) -> dict[Identity, list[InboxEntry]]:
    by_identity: dict[Identity, list[InboxEntry]] = {}
    for values in rows:
        row = InboxEntry(*values)
        if row.handler == BEGUN:
            continue
        by_identity.setdefault((row.tenant, row.message_id), []).append(row)
    return by_identity


class DeliveryStore:
    """Reads and writes the delivery tables of one service inside somebody else's transaction."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.outbox = Outbox()
        self._cached_tenants: set[str] = set()

    def write(
        self, db: Session, taken: Sequence[InboxEntry], messages: Sequence[OutboxEntry], last: bool = False
    ) -> None:
        """All of a batch at once; a row that is already there raises IntegrityError. ``last``: see ``write_rows``."""
        write_rows(db, (self.inbox.rows(taken), self.outbox.rows(messages)), last)

    def erase_athlete(self, db: Session, tenant: str, athlete: str) -> None:
        self.inbox.strip_athlete(db, tenant, athlete)
        self.outbox.delete_athlete(db, tenant, athlete)

    def add_tenants(self, db: Session, tenants: Iterable[str], now: datetime) -> set[str]:
        """Notes tenants seen for the first time; give the result to ``tenants_committed`` after the commit."""
        new = set(tenants) - self._cached_tenants
        if new:
            stored = set(db.scalars(select(TenantRow.tenant).where(TenantRow.tenant.in_(new))))
            if new - stored:
                rows = [{"tenant": tenant, "first_seen": now} for tenant in sorted(new - stored)]
                # A replica, or this service's other queue, may be noting it too.
                insert_missing(db, TenantRow, rows)
        return new

    def tenants_committed(self, tenants: set[str]) -> None:
        self._cached_tenants |= tenants

    def tenants(self, db: Session) -> list[str]:
        """Every tenant this service has ever heard from."""
        return list(db.scalars(select(TenantRow.tenant).order_by(TenantRow.tenant)))


def open_batch(
    db: Session, store: DeliveryStore, service: str, athletes: Iterable[tuple[str, str | None]], ids: Iterable[Identity]
) -> dict[Identity, list[InboxEntry]]:
    """Inbox rows of ``ids``, read when this transaction alone handles ``athletes`` (tenant, athlete).

    On PostgreSQL in one round trip, which costs a busy service more than the statement does: whoever runs meanwhile has
    to give way first.

    ``db``: fresh from ``Database.batch``; its transaction begins here.

    Where all are one tenant's, ``db`` acts for that tenant from here on.
    """
    wanted, pairs = list(dict.fromkeys(ids)), set(athletes)
    if db.get_bind().dialect.name != "postgresql":
        return store.inbox.find(db, wanted)
    tenants = {tenant for tenant, _ in wanted} | {tenant for tenant, _ in pairs}
    acting = tenants.pop() if len(tenants) == 1 else ""
    # The server runs one statement after the other, so what is read is as of when the locks were had.
    rows = db.connection().exec_driver_sql(
        ACT_SQL + LOCK_SQL + store.inbox.FIND_SQL,
        {
            "acting": acting,
            **lock_keys(service, pairs),
            "tenants": as_array([tenant for tenant, _ in wanted]),
            "ids": as_array([message_id for _, message_id in wanted]),
        },
    )
    acts_for(db, acting)
    return store.inbox.from_sql(rows)


ERASURES = "erasures"
"""Every service's table of erased athletes, with columns ``tenant``, ``erased_at`` and ``taken_at``."""

ROWS_PER_TRANSACTION = 5000
"""However much has grown old, no statement may take as long as a server that has gone silent."""


CONFIRMATIONS = "erase_confirmations"
"""Of the service that answers an erase: who has confirmed, with columns ``tenant`` and ``athlete_hash``."""


class Retention:
    """``inbox_kept``: a repetition after that is taken as new. ``erasures_kept``: a message from before the erase that
    arrives even later would bring the athlete back, so it is by far the longer.

    The outbox needs no time limit: a row goes when the broker has confirmed it, and not before."""

    def __init__(
        self,
        database: Database,
        store: DeliveryStore,
        metadata: MetaData,
        inbox_kept: timedelta,
        erasures_kept: timedelta,
    ) -> None:
        self._database = database
        self._store = store
        self._erasures = metadata.tables.get(ERASURES)
        self._confirmations = metadata.tables.get(CONFIRMATIONS)
        self._inbox_kept = inbox_kept
        self._erasures_kept = erasures_kept

    def erased(self) -> dict[tuple[str, str], tuple[datetime, datetime]]:
        """By tenant and digest of the athlete's id: ce-time of the last erase, and when it was taken."""
        if self._erasures is None:
            return {}
        digest = next(column for column in self._erasures.primary_key if column.name != "tenant")
        columns = (digest, self._erasures.c.erased_at, self._taken_at)
        with self._database.reading() as db:
            tenants = self._store.tenants(db)
        erased: dict[tuple[str, str], tuple[datetime, datetime]] = {}
        for tenant in tenants:
            with self._database.reading() as db:
                act_for(db, tenant)
                rows = db.execute(select(*columns).where(self._erasures.c.tenant == tenant))
                erased |= {(tenant, whose): (sent, taken) for whose, sent, taken in rows}
        return erased

    def forget(self, now: datetime) -> None:
        """Deletes what is older than its time: the inbox in parts, then one transaction per tenant for its erasures."""
        gone = ROWS_PER_TRANSACTION
        while gone == ROWS_PER_TRANSACTION:
            with self._database.transaction() as db:
                gone = self._store.inbox.delete_older(db, now - self._inbox_kept, ROWS_PER_TRANSACTION)
        if self._erasures is None:
            return
        with self._database.transaction() as db:
            tenants = self._store.tenants(db)
        for tenant in tenants:
            with self._database.transaction() as db:
                act_for(db, tenant)
                if self._confirmations is not None:
                    self._forget_unasked(db, tenant, now - self._inbox_kept)
                old = (self._erasures.c.tenant == tenant) & (self._taken_at < now - self._erasures_kept)
                db.execute(delete(self._erasures).where(old))
        self._database.wipe()

    @property
    def _taken_at(self) -> ColumnElement[datetime]:
        """By our clock, which is what counts days: a sender's may say anything."""
        assert self._erasures is not None
        return func.coalesce(self._erasures.c.taken_at, self._erasures.c.erased_at)

    def _forget_unasked(self, db: Session, tenant: str, before: datetime) -> None:
        """Confirmations of an erase that nobody waits for any more: it was done before ``before``."""
        assert self._erasures is not None and self._confirmations is not None
        done = select(self._erasures.c.athlete_hash).where(self._erasures.c.tenant == tenant, self._taken_at < before)
        theirs = (self._confirmations.c.tenant == tenant) & self._confirmations.c.athlete_hash.in_(done)
        db.execute(delete(self._confirmations).where(theirs))
