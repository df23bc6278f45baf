"""A season from its goals: which weeks build, rest, taper and race, and what each of them aims for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.periodization.domain.calendar import SeasonCalendar, TaperSpot
from services.periodization.domain.deloads import DeloadWeek, deload_weeks, triggers_by_week
from services.periodization.domain.effects import largest_set, last_set, reasons_of, shares_kept, smallest_cap
from services.periodization.domain.phases import blocks, training_phases
from services.periodization.domain.season import WEEK_DAYS, DeloadStart, Season, SeasonInputs, SeasonWeek
from services.periodization.domain.taper import taper_week_shares
from shared.messages.words import Level, Phase, Priority
from shared.rules.decisions import Rules
from shared.rules.model import DecidedBy, Facts, Fired, Scalar

MAX_WEEKS_AHEAD: Final = 208
"""How far a goal may lie ahead and still shape the season: four years."""
_TRAINING: Final[frozenset[Phase]] = frozenset({"base", "strength", "build", "peak"})


@dataclass(slots=True)
class _Draft:
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


def plan_season(inputs: SeasonInputs, rules: Rules) -> Season:
    """The targets of ``inputs.weeks`` weeks from ``inputs.start`` on.

    The same week comes out the same however many weeks are asked for: everything up to the last goal is planned, and
    what was not asked for is left out of the answer.
    """
    settings = rules.settings("periodization")
    goals = tuple(inputs.goals)
    reach = max([0, *((goal.date - inputs.start).days // WEEK_DAYS + 1 for goal in goals)])
    horizon = max(inputs.weeks, min(reach, MAX_WEEKS_AHEAD))
    calendar = SeasonCalendar(inputs.start, inputs.weeks, goals)
    who = _who(inputs)
    drafts = _drafts(inputs, calendar, horizon, who, settings, rules)
    _grow(drafts, settings, rules)
    _weigh(drafts, settings)
    _spare_legs(drafts, calendar, horizon, who, rules)
    weeks = _targets(drafts[: inputs.weeks], inputs, calendar, settings, rules)
    return Season(weeks, calendar.planned_goals(), _deload_starts(drafts[: inputs.weeks], calendar))


def _who(inputs: SeasonInputs) -> dict[str, Scalar | None]:
    profile = inputs.profile
    priority: Priority = "balanced" if profile is None else profile.priority
    level: Level = "intermediate" if profile is None else profile.level
    return {"priority": priority, "level": level}


def _drafts(
    inputs: SeasonInputs,
    calendar: SeasonCalendar,
    horizon: int,
    who: Facts,
    settings: Mapping[str, Any],
    rules: Rules,
) -> list[_Draft]:
    spots = calendar.taper_spots(settings)
    resting = calendar.recovery_weeks(settings) - spots.keys()
    deloads = deload_weeks(
        horizon,
        spots.keys(),
        resting,
        triggers_by_week(calendar, inputs.history, inputs.on, who, rules),
        calendar.coach_weeks(inputs.coach_deloads, settings),
        who,
        rules,
    )
    training = training_phases(blocks(calendar, horizon), spots.keys() | resting, settings)
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
        drafts.append(_Draft(index, phase, here, deload, facts))
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


def _grow(drafts: Sequence[_Draft], settings: Mapping[str, Any], rules: Rules) -> None:
    """Asks the week's rules and lets run minutes grow from one training week to the next, towards a race only."""
    decided = rules.decide("periodization", [draft.facts for draft in drafts])
    level, trained = 1.0, False
    for draft, fired in zip(drafts, decided, strict=True):
        draft.fired = fired
        if not draft.facts["race_ahead"]:
            level = 1.0
        elif draft.phase in _TRAINING and draft.facts["weeks_to_strength_test"] != 0.0:
            if trained:
                growth = largest_set(fired, "growth", 0.0)
                level = max(level, min(level * (1.0 + growth), float(settings["growth_ceiling"])))
            trained = True
        draft.level = level


def _weigh(drafts: Sequence[_Draft], settings: Mapping[str, Any]) -> None:
    """How much of the normal week each week keeps, before its mileage is compared with the block's highest."""
    for draft in drafts:
        asking = draft.fired if draft.deload is None else (*draft.fired, *draft.deload.fired)
        kept = shares_kept(asking)
        if last_set(draft.fired, "taper", None) == "exponential":
            for spot in draft.spots:
                days = int(settings["taper_days"][spot.race.goal_class])
                cut = float(settings["taper_mean_cut"][spot.race.goal_class])
                kept["run"] = min(kept["run"], taper_week_shares(days, cut)[spot.week - 1])
        draft.kept = kept


def _kept(draft: _Draft) -> Mapping[str, float]:
    if draft.kept is None:
        raise RuntimeError(f"week {draft.index + 1} has not been weighed yet")
    return draft.kept


def _spare_legs(drafts: Sequence[_Draft], calendar: SeasonCalendar, horizon: int, who: Facts, rules: Rules) -> None:
    """Peak mileage weeks take volume off the legs. A block whose mileage does not grow has no peak."""
    questions: list[Facts] = []
    asked: list[_Draft] = []
    for block in blocks(calendar, horizon):
        members = [draft for draft in drafts if block.first <= draft.index <= block.last]
        mileage = {draft.index: draft.level * _kept(draft)["run"] for draft in members}
        highest = max(mileage.values())
        training = [mileage[draft.index] for draft in members if draft.phase in _TRAINING]
        if highest <= 0.0 or not training or min(training) == highest:
            continue
        for draft in members:
            questions.append({**who, "phase": draft.phase, "mileage_of_peak": mileage[draft.index] / highest})
            asked.append(draft)
    if not questions:
        return
    for draft, fired in zip(asked, rules.decide("deload", questions), strict=True):
        draft.spared = tuple(rule for rule in fired if rule.rule.outcome == "cap")


def _targets(
    drafts: Sequence[_Draft],
    inputs: SeasonInputs,
    calendar: SeasonCalendar,
    settings: Mapping[str, Any],
    rules: Rules,
) -> tuple[SeasonWeek, ...]:
    template = inputs.template
    all_sets = template.lower_sets + template.upper_sets
    volumes = []
    questions: list[Facts] = []
    for draft in drafts:
        kept, spared = _kept(draft), shares_kept(draft.spared)
        run = template.run_minutes * draft.level * min(kept["run"], spared["run"])
        long_share = min(kept["run"], kept["long"], spared["run"], spared["long"])
        lower = template.lower_sets * min(kept["lower"], spared["lower"])
        upper = template.upper_sets * min(kept["upper"], spared["upper"])
        volumes.append((run, min(template.long_run_minutes * draft.level * long_share, run), lower, upper))
        sets_share = (lower + upper) / all_sets if all_sets > 0.0 else None
        questions.append({**draft.facts, "run_minutes": run, "sets_share": sets_share})
    weeks = []
    decided = rules.decide("periodization", questions) if questions else []
    for draft, (run, long_run, lower, upper), fired in zip(drafts, volumes, decided, strict=True):
        asking = () if draft.deload is None else draft.deload.fired
        quality = last_set(fired, "quality_runs", template.quality_runs)
        lifts = last_set(fired, "lift_sessions", template.lifts)
        weeks.append(
            SeasonWeek(
                number=draft.index + 1,
                start=calendar.starts(draft.index),
                phase=draft.phase,
                deload=draft.deload is not None,
                reasons=_reasons(draft, fired),
                run_minutes=run,
                easy_share=min(1.0, largest_set(fired, "easy_share", float(settings["easy_share"]))),
                lift_sessions=int(smallest_cap(fired, "lift_sessions", float(lifts))),
                lower_sets=lower,
                upper_sets=upper,
                long_run_minutes=long_run,
                quality_runs=int(smallest_cap(fired, "quality_runs", float(quality))),
                priority=last_set(fired, "priority", draft.facts["priority"]),
                decided_by=_decided_by((*asking, *draft.spared, *draft.fired, *fired)),
            )
        )
    return tuple(weeks)


def _decided_by(fired: Sequence[Fired]) -> tuple[DecidedBy, ...]:
    return tuple(dict.fromkeys(rule.decided_by for rule in fired))


def _reasons(draft: _Draft, fired: Sequence[Fired]) -> tuple[str, ...]:
    reasons: list[str] = []
    if draft.deload is not None:
        reasons += _deload_reasons(draft.deload)
    for spot in sorted(draft.spots, key=lambda spot: (spot.race.date, spot.race.id)):
        race = spot.race
        reasons.append(f"taper to {race.goal_class} race {race.name or race.id} on {race.date.isoformat()}")
    reasons += reasons_of((*draft.spared, *fired))
    return tuple(dict.fromkeys(reasons))


def _deload_reasons(deload: DeloadWeek) -> list[str]:
    reasons = []
    if deload.coach is not None:
        asked = deload.coach
        reasons.append(f"coach's deload from {asked.start.isoformat()}" + (f": {asked.reason}" if asked.reason else ""))
    if "early" in deload.causes and deload.trigger is not None:
        titles = "; ".join(str(rule.values.get("reason") or rule.rule.title) for rule in deload.trigger.fired)
        reasons.append(f"early deload after {deload.trigger.day.isoformat()}: {titles}")
    if "planned" in deload.causes:
        reasons.append("planned deload")
    return reasons


def _deload_starts(drafts: Sequence[_Draft], calendar: SeasonCalendar) -> tuple[DeloadStart, ...]:
    found: list[DeloadStart] = []
    by_coach: set[date] = set()
    for draft in drafts:
        deload = draft.deload
        if deload is None:
            continue
        cause = deload.causes[0]
        start, days = calendar.starts(draft.index), WEEK_DAYS
        if cause == "coach" and deload.coach is not None:
            start, days = deload.coach.start, deload.coach.days
            if start in by_coach:
                continue
            by_coach.add(start)
        elif asked := [float(rule.values["for"]) for rule in deload.fired if "for" in rule.values]:
            days = int(max(asked))
        reason = "; ".join(_deload_reasons(deload))
        found.append(DeloadStart(draft.index + 1, start, days, cause, reason, _decided_by(deload.fired)))
    return tuple(found)
