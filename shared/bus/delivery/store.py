"""The SQL behind exactly-once effects: inbox, outbox and known tenants, each read and written for a whole batch."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.bus.delivery.inbox import Inbox, InboxEntry
from shared.bus.delivery.outbox import Outbox, OutboxEntry
from shared.db.bulk import write_rows
from shared.db.delivery_tables import TenantRow
from shared.db.upserts import insert_missing


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
