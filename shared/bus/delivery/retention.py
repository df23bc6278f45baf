"""What delivery remembers, and for how long: inbox rows, and the marks that an erased athlete leaves.

The outbox needs no time limit: a row goes when the broker has confirmed it, and not before.
"""

from datetime import datetime, timedelta

from sqlalchemy import MetaData, delete, select
from sqlalchemy.orm import Session

from shared.bus.delivery.store import DeliveryStore
from shared.db.engine import Database
from shared.db.row_security import act_for

ERASURES = "erasures"
"""Every service's table of erased athletes, with columns ``tenant`` and ``erased_at``."""

ROWS_PER_TRANSACTION = 5000
"""However much has grown old, no statement may take as long as a server that has gone silent."""


CONFIRMATIONS = "erase_confirmations"
"""Of the service that answers an erase: who has confirmed, with columns ``tenant`` and ``athlete_hash``."""


class Retention:
    """``inbox_kept``: a repetition after that is taken as new. ``erasures_kept``: a message from before the erase that
    arrives even later would bring the athlete back, so it is by far the longer."""

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

    def erased(self) -> dict[tuple[str, str], datetime]:
        """By tenant and digest of the athlete's id: when the athlete was erased last."""
        if self._erasures is None:
            return {}
        digest = next(column for column in self._erasures.primary_key if column.name != "tenant")
        with self._database.reading() as db:
            tenants = self._store.tenants(db)
        erased: dict[tuple[str, str], datetime] = {}
        for tenant in tenants:
            with self._database.reading() as db:
                act_for(db, tenant)
                rows = db.execute(select(digest, self._erasures.c.erased_at).where(self._erasures.c.tenant == tenant))
                erased |= {(tenant, row[0]): row.erased_at for row in rows}
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
                old = (self._erasures.c.tenant == tenant) & (self._erasures.c.erased_at < now - self._erasures_kept)
                db.execute(delete(self._erasures).where(old))
        self._database.wipe()

    def _forget_unasked(self, db: Session, tenant: str, before: datetime) -> None:
        """Confirmations of an erase that nobody waits for any more: it was done before ``before``."""
        assert self._erasures is not None and self._confirmations is not None
        done = select(self._erasures.c.athlete_hash).where(
            self._erasures.c.tenant == tenant, self._erasures.c.erased_at < before
        )
        theirs = (self._confirmations.c.tenant == tenant) & self._confirmations.c.athlete_hash.in_(done)
        db.execute(delete(self._confirmations).where(theirs))
