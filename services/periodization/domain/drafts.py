"""Weeks before their targets are known: phase, taper, deload, and what rules are asked about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.periodization.domain.calendar import SeasonCalendar, TaperSpot
from services.periodization.domain.deloads import DeloadWeek, Questions, deload_weeks, triggers_by_week
from services.periodization.domain.phases import blocks, training_phases
from services.periodization.domain.season import SeasonInputs
from shared.contract.words import PackKind, Phase
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.model import Facts, Fired, Scalar


@dataclass(slots=True)
class Draft:
    """One week while it is planned."""

    index: int
    phase: Phase
    spots: Sequence[TaperSpot]
    deload: DeloadWeek | None
    facts: dict[str, Scalar | None]
    fired: tuple[Fired, ...] = ()
    level: float = 1.0
    kept: Mapping[str, float] | None = None
    spared: tuple[Fired, ...] = ()
    asked: list[tuple[PackKind, Facts]] = field(default_factory=list)


def who_of(inputs: SeasonInputs) -> dict[str, Scalar | None]:
    """Who the athlete is; the phase is each week's own."""
    return {**athlete_facts(inputs.profile), "phase": None}


def phases_without_deloads(calendar: SeasonCalendar, horizon: int, settings: Mapping[str, Any]) -> dict[int, Phase]:
    """The phase of each training week, whatever rests in it: not of tapers, races and recovery after them."""
    spots = calendar.taper_spots(settings)
    set_apart = spots.keys() | calendar.recovery_weeks(settings)
    return training_phases(blocks(calendar, horizon), set_apart, settings)


def drafts_of(
    inputs: SeasonInputs,
    calendar: SeasonCalendar,
    horizon: int,
    who: Facts,
    settings: Mapping[str, Any],
    rules: Rules,
) -> list[Draft]:
    spots = calendar.taper_spots(settings)
    resting = calendar.recovery_weeks(settings) - spots.keys()
    training = phases_without_deloads(calendar, horizon, settings)
    about_deloads: Questions = {}
    deloads = deload_weeks(
        horizon,
        spots.keys(),
        resting,
        triggers_by_week(calendar, inputs.history, inputs.on, who, training, rules),
        calendar.coach_weeks(inputs.coach_deloads, settings),
        who,
        training,
        rules,
        about_deloads,
    )
    drafts = []
    for index in range(horizon):
        here = spots.get(index, [])
        deload = deloads.get(index)
        phase: Phase
        if here:
            phase = "race" if any(spot.race_week for spot in here) else "taper"
        elif deload is not None:
            phase = "deload"
        elif index in resting:
            phase = "recovery"
        elif any(calendar.index(test.date) == index for test in calendar.strength_tests()):
            phase = "peak"
        else:
            phase = training[index]
        facts = {**who, **_week_facts(calendar, index, phase, here, deload is not None, inputs.template.lifts)}
        facts["block_phase"] = training.get(index, phase)
        draft = Draft(index, phase, here, deload, facts)
        draft.asked += [("deload", question) for question in about_deloads.get(index, [])]
        drafts.append(draft)
    return drafts


def _week_facts(
    calendar: SeasonCalendar,
    index: int,
    phase: Phase,
    spots: Sequence[TaperSpot],
    deload: bool,
    lifts: int,
) -> dict[str, Scalar | None]:
    race = calendar.next_of(calendar.races(), index)
    test = calendar.next_of(calendar.strength_tests(), index)
    spot = leading_spot(spots)
    return {
        "week_number": float(index + 1),
        "phase": phase,
        "deload": deload,
        "lift_sessions": float(lifts),
        "race_ahead": race is not None,
        "weeks_to_race": None if race is None else float(calendar.index(race.date) - index),
        "race_class": None if race is None else race.goal_class,
        "race_distance_km": None if race is None else race.distance_km,
        "weeks_to_strength_test": None if test is None else float(calendar.index(test.date) - index),
        "race_week": any(other.race_week for other in spots),
        "taper_class": None if spot is None else spot.race.goal_class,
        "taper_week": None if spot is None else float(spot.week),
    }


def leading_spot(spots: Sequence[TaperSpot]) -> TaperSpot | None:
    """Of tapers that overlap the one that rules are asked about: the most important race, then the nearest."""
    return min(spots, key=lambda spot: (spot.race.goal_class, spot.weeks - spot.week, spot.race.date), default=None)
