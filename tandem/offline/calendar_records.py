"""An athlete file as the calendar records that the scheduling service's use cases gather from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from services.scheduling.domain.calendar import from_done
from services.scheduling.domain.week_plan import DoneEntry, PlacedSession, StandingMove
from shared.contract.words import Intensity, Phase
from shared.messages.times import day_of_session
from shared.messages.values import Limits, PlannedSession, Window

if TYPE_CHECKING:
    from tandem.offline.pipeline import OfflineAthlete


@dataclass(frozen=True, slots=True)
class FileCalendar:
    """A file knows no earlier plans and no moves: it is a calendar that is planned for the first time."""

    athlete: "OfflineAthlete"

    def windows(self) -> Sequence[Window] | None:
        return self.athlete.file.availability

    def limits(self) -> Limits | None:
        return self.athlete.file.limits

    def phase_on(self, day: date) -> Phase | None:
        week = self.athlete.season().week_of(day) if self.athlete.has_season else None
        return None if week is None else week.phase

    def wanted(self, week_start: date) -> Sequence[PlannedSession]:
        """Raises ``BadFile`` where the file gives neither sessions nor a season that holds the week."""
        week = self.athlete.file.week
        given = None if week is None else week.sessions
        return self.athlete.sessions_of_season(week_start) if given is None else given

    def done(self, first: datetime, until: datetime) -> Sequence[DoneEntry]:
        begun = [one for one in self.athlete.file.sessions if first <= one.start < until]
        who = self.athlete.profile_or_nobody
        return [
            DoneEntry(from_done(one), one.start, day_of_session(one.start, one.timezone, who.zone), one.planned)
            for one in sorted(begun, key=lambda one: one.start)
        ]

    def planned_beside(self, week_start: date, weeks: int) -> Mapping[date, Sequence[PlacedSession]]:
        return {}

    def placed_before(self, week_start: date, today: date) -> Sequence[PlacedSession]:
        return ()

    def moves(self, week_start: date) -> Mapping[str, StandingMove]:
        return {}

    def gate(self, day: date) -> Intensity | None:
        """Today's, when the file has anything to tell it from."""
        known = day == self.athlete.on and bool(self.athlete.recorded_days())
        return self.athlete.readiness().gate.intensity if known else None
