"""One athlete within one call of a handler."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.scheduling.store import SchedulingStore
from services.scheduling.use_cases.gather import CheckInputs, gather_plan
from shared.bus.routes import Context
from shared.messages.values import PlannedSession, Profile


@dataclass(frozen=True, slots=True)
class AthleteContext:
    """An athlete whose profile is known."""

    context: Context
    store: SchedulingStore
    profile: Profile

    @property
    def athlete(self) -> str:
        return self.store.athlete

    @property
    def today(self) -> date:
        return self.context.now().astimezone(self.profile.zone).date()

    def gather_plan(self, week_start: date, sessions: Sequence[PlannedSession]) -> CheckInputs:
        return gather_plan(self.store, self.profile, week_start, sessions)


def athlete_context(context: Context, athlete: str) -> AthleteContext | None:
    """None while nobody has put the athlete."""
    store = SchedulingStore(context.db, context.tenant, athlete)
    profile = store.profile()
    return None if profile is None else AthleteContext(context, store, profile)
