"""What is left of an erased athlete: that it was erased and who still has to confirm. No id, only its hash."""

import hashlib
from collections.abc import Mapping

from sqlalchemy.orm import Session

from services.periodization.store import ConfirmationRow, ErasureRow, Stamp

NO_CORRELATION = ""


class Erasures:
    def __init__(self, db: Session, tenant: str, athlete: str) -> None:
        self._db = db
        self._tenant = tenant
        self._hash = hashlib.sha256(f"{tenant}\n{athlete}".encode()).hexdigest()

    def erased_after(self, stamp: Stamp) -> bool:
        """Whether the athlete was erased after something was said, so that it has no effect any more."""
        row = self._db.get(ErasureRow, (self._tenant, self._hash))
        return row is not None and Stamp(row.erased_at, row.message_id) >= stamp

    def note_erased(self, stamp: Stamp) -> None:
        row = self._db.get(ErasureRow, (self._tenant, self._hash), with_for_update=True)
        if row is None:
            self._db.add(
                ErasureRow(
                    tenant=self._tenant, athlete_hash=self._hash, erased_at=stamp.time, message_id=stamp.message_id
                )
            )
        elif Stamp(row.erased_at, row.message_id) < stamp:
            row.erased_at, row.message_id = stamp.time, stamp.message_id
        self._db.flush()

    def await_confirmations(self, correlation_id: str, reply_address: Mapping[str, str]) -> frozenset[str]:
        """Keeps where to reply; returns the services that have confirmed already."""
        row = self._confirmations(correlation_id)
        row.reply_address = dict(reply_address)
        self._db.flush()
        return frozenset(row.services)

    def confirm(self, correlation_id: str, service: str) -> tuple[frozenset[str], Mapping[str, str] | None]:
        """Notes one service's confirmation; returns all so far and where to reply, None while nobody waits."""
        row = self._confirmations(correlation_id)
        row.services = sorted({*row.services, service})
        self._db.flush()
        return frozenset(row.services), row.reply_address

    def settled(self, correlation_id: str) -> None:
        """Forgets a command that was answered."""
        self._db.delete(self._confirmations(correlation_id))
        self._db.flush()

    def _confirmations(self, correlation_id: str) -> ConfirmationRow:
        key = (self._tenant, self._hash, correlation_id)
        row: ConfirmationRow | None = self._db.get(ConfirmationRow, key, with_for_update=True)
        if row is None:
            row = ConfirmationRow(
                tenant=self._tenant, athlete_hash=self._hash, correlation_id=correlation_id, services=[]
            )
            self._db.add(row)
            self._db.flush()
        return row
