"""What an athlete file holds of training and mornings, as the services' use cases gather it from their tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from services.load.domain import LoadSeries, ScoredSession, score_sessions
from services.load.use_cases.gather import gather_series
from services.recovery.domain import ReadinessInputs, StreamRatio
from services.recovery.domain.recorded import DoneTraining, LoadDay
from services.recovery.use_cases.gather import gather_readiness
from shared.contract.words import STREAMS
from shared.messages.values import DayLoad, MarkedDay, PlannedSession, Profile, Wellness
from shared.rules.decisions import Rules
from tandem.athlete_file.model import AthleteFile


@dataclass(frozen=True)
class FileRecords:
    """``TrainingRecords`` and ``RecoveryRecords`` of the one athlete of a file, whatever name is asked for."""

    file: AthleteFile
    profile: Profile
    rules: Rules
    on: date

    @cached_property
    def scored(self) -> tuple[ScoredSession, ...]:
        return score_sessions(self.file.sessions, self.profile, self.rules.settings("recovery"))

    @cached_property
    def load_series(self) -> LoadSeries:
        return gather_series(self, "", self.profile, self.on, self.rules)[0]

    def readiness_inputs(self, on: date) -> ReadinessInputs:
        return gather_readiness(self, {"": (self.profile, on)})[""]

    def counted(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[ScoredSession]]:
        return dict.fromkeys(athletes, self.scored)

    def day_loads(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[DayLoad]]:
        return dict.fromkeys(athletes, self.file.daily_load)

    def marks(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[MarkedDay]]:
        return dict.fromkeys(athletes, self.file.days)

    def mornings(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[Wellness]]:
        return dict.fromkeys(athletes, [morning for morning in self.file.wellness if morning.date >= since])

    def load_days(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[LoadDay]]:
        days = [since + timedelta(days=index) for index in range((self.on - since).days + 1)]
        return dict.fromkeys(
            athletes,
            [
                LoadDay(
                    day,
                    of_day["state"],
                    {name: StreamRatio(of_day[f"acwr_{name}"], of_day[f"status_{name}"]) for name in STREAMS},
                )
                for day, of_day in zip(days, self.load_series.day_figures(days), strict=True)
            ],
        )

    def sessions(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[DoneTraining]]:
        done = [
            DoneTraining(
                one.day_in(self.profile.zone),
                one.kind,
                one.session.type,
                one.session.stated_rpe,
                [(best.lift, best.e1rm_kg) for best in one.e1rm],
            )
            for one in self.scored
        ]
        return dict.fromkeys(athletes, [one for one in done if one.date >= since])

    def planned(self, athletes: Sequence[str], first: date, last: date) -> Mapping[str, Sequence[PlannedSession]]:
        sessions = (self.file.week.sessions or []) if self.file.week else []
        far = datetime.max.replace(tzinfo=UTC)
        return dict.fromkeys(athletes, sorted(sessions, key=lambda one: (one.start or far, one.id)))
