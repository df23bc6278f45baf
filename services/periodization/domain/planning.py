"""A season from its goals: how weeks grow, what is taken off them, and what each of them then aims for."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from services.periodization.domain.calendar import SeasonCalendar
from services.periodization.domain.deloads import triggers_by_week
from services.periodization.domain.drafts import Draft, drafts_of, phases_without_deloads, who_of
from services.periodization.domain.effects import largest_set, last_set, shares_kept, smallest_cap
from services.periodization.domain.phases import blocks
from services.periodization.domain.reasons import decided_once, deload_starts, week_reasons
from services.periodization.domain.season import Season, SeasonInputs, SeasonWeek
from services.periodization.domain.taper import taper_week_shares
from shared.contract.words import TRAINING_PHASES
from shared.rules.decisions import Rules
from shared.rules.model import Facts

MAX_WEEKS_AHEAD: Final = 208
"""How far a goal may lie ahead and still shape the season: four years."""


def plan_season(inputs: SeasonInputs, rules: Rules) -> Season:
    """The targets of ``inputs.weeks`` weeks from ``inputs.start`` on.

    The same week comes out the same however many weeks are asked for: everything up to the last goal is planned, and
    what was not asked for is left out of the answer.
    """
    settings = rules.settings("periodization")
    everything = SeasonCalendar(inputs.start, inputs.weeks, tuple(inputs.goals))
    calendar, horizon = _calendar_of(inputs)
    who = who_of(inputs)
    drafts = drafts_of(inputs, calendar, horizon, who, settings, rules)
    _grow(drafts, settings, rules)
    _weigh(drafts, settings)
    _spare_legs(drafts, calendar, horizon, who, rules)
    weeks = _targets(drafts[: inputs.weeks], inputs, calendar, settings, rules)
    asked = {calendar.starts(draft.index): tuple(draft.asked) for draft in drafts[: inputs.weeks]}
    return Season(weeks, everything.planned_goals(), deload_starts(drafts[: inputs.weeks], calendar), asked)


def _calendar_of(inputs: SeasonInputs) -> tuple[SeasonCalendar, int]:
    """The calendar with the goals near enough to shape it, and how many weeks have to be planned for them."""
    everything = SeasonCalendar(inputs.start, inputs.weeks, tuple(inputs.goals))
    near = tuple(goal for goal in inputs.goals if everything.index(goal.date) < MAX_WEEKS_AHEAD)
    horizon = max([inputs.weeks, *(everything.index(goal.date) + 1 for goal in near)])
    return SeasonCalendar(inputs.start, inputs.weeks, near), horizon


def early_deload_triggers(inputs: SeasonInputs, rules: Rules) -> tuple[tuple[date, tuple[str, ...]], ...]:
    """Per week that holds one the first day on which early-deload rules fired, and which. All that a season takes from
    its history: while this stays the same, so does the season."""
    calendar, horizon = _calendar_of(inputs)
    phases = phases_without_deloads(calendar, horizon, rules.settings("periodization"))
    found = triggers_by_week(calendar, inputs.history, inputs.on, who_of(inputs), phases, rules)
    return tuple((trigger.day, tuple(rule.id for rule in trigger.fired)) for _, trigger in sorted(found.items()))


def _grow(drafts: Sequence[Draft], settings: Mapping[str, Any], rules: Rules) -> None:
    """Asks the week's rules and lets run minutes grow from one training week to the next, towards a race only."""
    decided = rules.decide("periodization", [draft.facts for draft in drafts])
    level, trained = 1.0, False
    for draft, fired in zip(drafts, decided, strict=True):
        draft.fired = fired
        if not draft.facts["race_ahead"]:
            level = 1.0
        elif draft.phase in TRAINING_PHASES and draft.facts["weeks_to_strength_test"] != 0.0:
            if trained:
                growth = largest_set(fired, "growth", 0.0)
                level = max(level, min(level * (1.0 + growth), float(settings["growth_ceiling"])))
            trained = True
        draft.level = level


def _weigh(drafts: Sequence[Draft], settings: Mapping[str, Any]) -> None:
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


def _kept(draft: Draft) -> Mapping[str, float]:
    if draft.kept is None:
        raise RuntimeError(f"week {draft.index + 1} has not been weighed yet")
    return draft.kept


def _spare_legs(drafts: Sequence[Draft], calendar: SeasonCalendar, horizon: int, who: Facts, rules: Rules) -> None:
    """Peak mileage weeks take volume off the legs. A block whose mileage does not grow has no peak."""
    questions: list[Facts] = []
    asked: list[Draft] = []
    for block in blocks(calendar, horizon):
        members = [draft for draft in drafts if block.first <= draft.index <= block.last]
        mileage = {draft.index: draft.level * _kept(draft)["run"] for draft in members}
        highest = max(mileage.values())
        training = [mileage[draft.index] for draft in members if draft.phase in TRAINING_PHASES]
        if highest <= 0.0 or not training or min(training) == highest:
            continue
        for draft in members:
            questions.append({**who, "phase": draft.phase, "mileage_of_peak": mileage[draft.index] / highest})
            asked.append(draft)
    if not questions:
        return
    for draft, question, fired in zip(asked, questions, rules.decide("deload", questions), strict=True):
        draft.asked.append(("deload", question))
        draft.spared = tuple(rule for rule in fired if rule.rule.outcome == "cap")


def _targets(
    drafts: Sequence[Draft],
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
    for draft, question, (run, long_run, lower, upper), fired in zip(drafts, questions, volumes, decided, strict=True):
        asking = () if draft.deload is None else draft.deload.fired
        draft.asked.append(("periodization", question))
        quality = last_set(fired, "quality_runs", template.quality_runs)
        lifts = last_set(fired, "lift_sessions", template.lifts)
        weeks.append(
            SeasonWeek(
                number=draft.index + 1,
                start=calendar.starts(draft.index),
                phase=draft.phase,
                deload=draft.deload is not None,
                reasons=week_reasons(draft, fired),
                run_minutes=run,
                easy_share=min(1.0, largest_set(fired, "easy_share", float(settings["easy_share"]))),
                lift_sessions=int(smallest_cap(fired, "lift_sessions", float(lifts))),
                lower_sets=lower,
                upper_sets=upper,
                long_run_minutes=long_run,
                quality_runs=int(smallest_cap(fired, "quality_runs", float(quality))),
                priority=last_set(fired, "priority", draft.facts["priority"]),
                decided_by=decided_once((*asking, *draft.spared, *draft.fired, *fired)),
            )
        )
    return tuple(weeks)
