"""Who was put and who was erased, and, of an erase, who still has to confirm: no id, only its hash."""

from collections.abc import Mapping

from services.periodization.store import (
    HELD,
    ConfirmationRow,
    PeriodizationAthleteRow,
    PeriodizationErasureRow,
)
from shared.athletes.store import AthleteStore

NO_CORRELATION = ""


class Athletes(AthleteStore[PeriodizationAthleteRow]):
    athlete_row = PeriodizationAthleteRow
    erasure_row = PeriodizationErasureRow
    held = HELD
    digest_separator = "\n"

    def locked_athlete(self, athlete: str) -> PeriodizationAthleteRow:
        """There is none before the athlete is put: the new one, with nothing in it, is to be filled."""
        row = self.db.get(PeriodizationAthleteRow, (self.tenant, athlete), with_for_update=True)
        if row is None:
            row = PeriodizationAthleteRow(tenant=self.tenant, athlete=athlete)
            self.db.add(row)
        return row

    def await_confirmations(
        self, athlete: str, correlation_id: str, reply_address: Mapping[str, str], applied: bool
    ) -> ConfirmationRow:
        """Keeps where to reply; ``applied``: there was something to erase here."""
        row = self._confirmations(athlete, correlation_id)
        row.reply_address = dict(reply_address)
        row.applied = row.applied or applied
        self.db.flush()
        return row

    def confirm(self, athlete: str, correlation_id: str, service: str, applied: bool) -> ConfirmationRow:
        """Notes one service's confirmation."""
        row = self._confirmations(athlete, correlation_id)
        row.services = sorted({*row.services, service})
        row.applied = row.applied or applied
        self.db.flush()
        return row

    def settled(self, athlete: str, correlation_id: str) -> None:
        """Forgets a command that was answered."""
        self.db.delete(self._confirmations(athlete, correlation_id))
        self.db.flush()

    def _confirmations(self, athlete: str, correlation_id: str) -> ConfirmationRow:
        key = {"tenant": self.tenant, "athlete_hash": self._digest(athlete), "correlation_id": correlation_id}
        row = self.db.get(ConfirmationRow, key, with_for_update=True)
        if row is None:
            row = ConfirmationRow(**key, services=[], applied=False)
            self.db.add(row)
            self.db.flush()
        return row
