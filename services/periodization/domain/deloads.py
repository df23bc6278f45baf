"""Which weeks are deloads: by the calendar, early on a trigger, or because a coach says so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from services.periodization.domain.calendar import SeasonCalendar
from services.periodization.domain.season import WEEK_DAYS, CoachDeload
from shared.contract.words import DeloadCause, Phase
from shared.rules.decisions import Rules
from shared.rules.model import Facts, Fired

Questions = dict[int, list[Facts]]
"""What rules were asked about each week, by its index."""
_Answers = dict[tuple[tuple[str, object], ...], tuple[Fired, ...]]
_ANSWERS: Final[WeakKeyDictionary[Rules, _Answers]] = WeakKeyDictionary()
_RATIO: Final = "acwr_"
_STATUS: Final = "status_"


@dataclass(frozen=True, slots=True)
class Trigger:
    """The first day of a week on which early-deload rules fired, and those that fired anywhere in it."""

    day: date
    fired: tuple[Fired, ...]


@dataclass(frozen=True, slots=True)
class DeloadWeek:
    """``causes`` in the order coach, early, planned; ``fired`` are the rules that ask for it."""

    causes: tuple[DeloadCause, ...]
    fired: tuple[Fired, ...]
    trigger: Trigger | None = None
    coach: CoachDeload | None = None


def triggers_by_week(
    calendar: SeasonCalendar,
    history: Mapping[date, Facts],
    on: date,
    who: Facts,
    phases: Mapping[int, Phase],
    rules: Rules,
) -> dict[int, Trigger]:
    """Per week index what asked for an early deload; from the week before the season's start up to day ``on``."""
    since = calendar.start - timedelta(days=WEEK_DAYS)
    known = {
        day: deload_facts(facts, {**who, "phase": phases.get(calendar.index(day))})
        for day, facts in history.items()
        if day <= on
    }
    days = sorted(day for day in known if day >= since)
    if not days:
        return {}
    found: dict[int, Trigger] = {}
    decided = rules.decide_days("deload", known, days)
    for day in days:
        fired = tuple(rule for rule in decided.get(day, ()) if rule.rule.outcome == "deload")
        if fired:
            index = calendar.index(day)
            earlier = found.get(index)
            merged = fired if earlier is None else (*earlier.fired, *fired)
            once = tuple({rule.id: rule for rule in reversed(merged)}.values())[::-1]
            found[index] = Trigger(day if earlier is None else earlier.day, once)
    return found


def deload_weeks(
    weeks: int,
    tapering: Collection[int],
    resting: Collection[int],
    triggers: Mapping[int, Trigger],
    coach_weeks: Mapping[int, CoachDeload],
    who: Facts,
    phases: Mapping[int, Phase],
    rules: Rules,
    asked: Questions | None = None,
) -> dict[int, DeloadWeek]:
    """The deload weeks among weeks 0 to ``weeks`` − 1.

    A taper wins over a deload, and a deload that it takes the place of is spent: the clock starts again. A trigger
    within a week that is light anyway (deload, taper, recovery) asks for nothing more. The clock counts all others.
    ``phases``: of each training week, had it no deload. ``asked`` gets what the rules were asked about each week.
    """
    found: dict[int, DeloadWeek] = {}
    answers = _answers_under(rules)

    def deloads_for(index: int, facts: Facts) -> tuple[Fired, ...]:
        question = {**who, "phase": phases.get(index), **facts}
        if asked is not None:
            asked.setdefault(index, []).append(question)
        known = tuple(question.items())
        if known not in answers:
            fired = rules.decide("deload", [question])[0]
            answers[known] = tuple(rule for rule in fired if rule.rule.outcome == "deload")
        return answers[known]

    weeks_since_deload = 0
    for index in range(weeks):
        coach = coach_weeks.get(index)
        before = index - 1
        light_before = before in found or before in tapering or before in resting
        trigger = None if light_before else triggers.get(before)
        by_coach = deloads_for(index, {"coach_deload": True}) if coach is not None else ()
        by_calendar = deloads_for(index, {"weeks_since_deload": float(weeks_since_deload)})
        asking: dict[DeloadCause, tuple[Fired, ...]] = {
            "coach": by_coach,
            "early": trigger.fired if trigger is not None else (),
            "planned": by_calendar,
        }
        causes = tuple(cause for cause, fired in asking.items() if fired)
        if coach is None and asked is not None:
            asked[index].append({"coach_deload": False})
        if causes and index not in tapering:
            together = (rule for cause in causes for rule in asking[cause])
            found[index] = DeloadWeek(causes, tuple({rule.id: rule for rule in together}.values()), trigger, coach)
        weeks_since_deload = 0 if causes else weeks_since_deload + 1
    return found


def _answers_under(rules: Rules) -> _Answers:
    """The deload rules' answers so far, for as long as these rules are in force: athletes are few kinds of people, and
    weeks few kinds of weeks. Rules on watch are asked each time, for that is what counts how often they would fire."""
    if any(rule.mode == "watch" for rule in rules.pack("deload").rules):
        return {}
    return _ANSWERS.setdefault(rules, {})


def deload_facts(facts: Facts, who: Facts) -> Facts:
    """A day as early-deload rules are asked about it: without the ratios whose status says that they cannot be read,
    such as those of a first month."""
    readable = {
        name: None if name.startswith(_RATIO) and facts.get(name.replace(_RATIO, _STATUS), "ok") != "ok" else value
        for name, value in facts.items()
    }
    return {**readable, **who}
