"""What readiness is assessed from, gathered in one place for the service and for the offline command."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from services.recovery.domain import EasyRun, ReadinessInputs, StrengthMark
from services.recovery.domain.inputs import MorningRecord
from services.recovery.domain.recorded import DoneTraining, LoadDay
from shared.contract.words import DAYS_OUT_OF_NORMAL
from shared.messages.values import PlannedSession, Profile
from shared.rules.athlete_facts import athlete_facts

DAYS_LOOKED_BACK = 240
"""Mornings and sessions: the days published, the baseline and week before the oldest of them, and room for signs that
last for months."""
LOAD_DAYS_LOOKED_BACK = 83
"""Today and these are the days that the load service publishes when history changes: of an athlete whose history was
imported at once no older one is known, and of one who has been here for years what is known may hold no more."""


class RecoveryRecords(Protocol):
    """What is recorded of several athletes' days from ``since`` on: in the service's tables or in an athlete file.

    Sessions and load days are as the load service publishes them.
    """

    def mornings(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[MorningRecord]]: ...

    def load_days(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[LoadDay]]: ...

    def sessions(self, athletes: Sequence[str], since: date) -> Mapping[str, Sequence[DoneTraining]]: ...

    def planned(self, athletes: Sequence[str], first: date, last: date) -> Mapping[str, Sequence[PlannedSession]]:
        """All that may stand on a day from ``first`` to ``last``, in the order of their starts."""


def gather_readiness(
    records: RecoveryRecords, wanted: Mapping[str, tuple[Profile, date]]
) -> dict[str, ReadinessInputs]:
    """What is known for assessing several athletes, each on a day of their own, read at once."""
    names, days = list(wanted), [on for _, on in wanted.values()]
    since = min(days) - timedelta(days=DAYS_LOOKED_BACK)
    mornings, sessions = records.mornings(names, since), records.sessions(names, since)
    load_days = records.load_days(names, min(days) - timedelta(days=LOAD_DAYS_LOOKED_BACK))
    planned = records.planned(names, min(days), max(days))
    return {
        name: _inputs(profile, on, mornings[name], load_days[name], sessions[name], planned[name])
        for name, (profile, on) in wanted.items()
    }


def _inputs(
    profile: Profile,
    on: date,
    mornings: Sequence[MorningRecord],
    load_days: Sequence[LoadDay],
    sessions: Sequence[DoneTraining],
    planned: Sequence[PlannedSession],
) -> ReadinessInputs:
    since = on - timedelta(days=DAYS_LOOKED_BACK)
    done = [one for one in sessions if one.date >= since]
    loads = [day for day in load_days if day.date >= on - timedelta(days=LOAD_DAYS_LOOKED_BACK)]
    return ReadinessInputs(
        on=on,
        wellness=[morning for morning in mornings if morning.date >= since],
        excluded_days=frozenset(day.date for day in loads if day.state in DAYS_OUT_OF_NORMAL),
        sick_days=frozenset(day.date for day in loads if day.state == "sick"),
        loads={day.date: day.ratios for day in loads},
        easy_runs=[EasyRun(one.date, one.rpe) for one in done if one.rpe is not None and one.is_easy_run],
        strength=[StrengthMark(one.date, lift, kilograms) for one in done for lift, kilograms in one.e1rm],
        planned_today=[one for one in planned if one.start is not None and profile.day_of(one.start) == on],
        who=athlete_facts(profile),
    )
