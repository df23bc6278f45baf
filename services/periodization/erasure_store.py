"""Who was put and who was erased, and, of an erase, who still has to confirm: no id, only its hash."""

from collections.abc import Mapping

from services.periodization.store import (
    ConfirmationRow,
    PeriodizationAthleteRow,
    PeriodizationErasureRow,
    SeasonStore,
)
from shared.athletes.store import AthleteStore
from shared.db.versions import Version

NO_CORRELATION = ""


class Athletes(AthleteStore[PeriodizationAthleteRow]):
    athlete_row = PeriodizationAthleteRow
    erasure_row = PeriodizationErasureRow
    digest_separator = "\n"

    def locked_athlete(self, athlete: str) -> PeriodizationAthleteRow:
        """There is none before the athlete is put: the new one, with nothing in it, is to be filled."""
        row = self.db.get(PeriodizationAthleteRow, (self.tenant, athlete), with_for_update=True)
        if row is None:
            row = PeriodizationAthleteRow(tenant=self.tenant, athlete=athlete)
            self.db.add(row)
        return row

    def erase(self, athlete: str, version: Version) -> None:
        """Keeps what was said after the erase, which may have come first."""
        self._note_erased(athlete, version)
        self.db.flush()
        SeasonStore(self.db, self.tenant, athlete).forget(version[0])

    def await_confirmations(
        self, athlete: str, correlation_id: str, reply_address: Mapping[str, str]
    ) -> frozenset[str]:
        """Keeps where to reply; returns the services that have confirmed already."""
        row = self._confirmations(athlete, correlation_id)
        row.reply_address = dict(reply_address)
        self.db.flush()
        return frozenset(row.services)

    def confirm(
        self, athlete: str, correlation_id: str, service: str
    ) -> tuple[frozenset[str], Mapping[str, str] | None]:
        """Notes one service's confirmation; returns all so far and where to reply, None while nobody waits."""
        row = self._confirmations(athlete, correlation_id)
        row.services = sorted({*row.services, service})
        self.db.flush()
        return frozenset(row.services), row.reply_address

    def settled(self, athlete: str, correlation_id: str) -> None:
        """Forgets a command that was answered."""
        self.db.delete(self._confirmations(athlete, correlation_id))
        self.db.flush()

    def _confirmations(self, athlete: str, correlation_id: str) -> ConfirmationRow:
        key = {"tenant": self.tenant, "athlete_hash": self._digest(athlete), "correlation_id": correlation_id}
        row = self.db.get(ConfirmationRow, key, with_for_update=True)
        if row is None:
            row = ConfirmationRow(**key, services=[])
            self.db.add(row)
            self.db.flush()
        return row
