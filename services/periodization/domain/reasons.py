"""Why a week is as it is, in the words of the coach who reads it, and which deloads begin when."""

from collections.abc import Sequence
from datetime import date

from services.periodization.domain.calendar import SeasonCalendar
from services.periodization.domain.deloads import DeloadWeek
from services.periodization.domain.drafts import Draft
from services.periodization.domain.effects import reasons_of
from services.periodization.domain.season import WEEK_DAYS, DeloadStart
from shared.rules.model import DecidedBy, Fired


def decided_once(fired: Sequence[Fired]) -> tuple[DecidedBy, ...]:
    return tuple(dict.fromkeys(rule.decided_by for rule in fired))


def week_reasons(draft: Draft, fired: Sequence[Fired]) -> tuple[str, ...]:
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


def deload_starts(drafts: Sequence[Draft], calendar: SeasonCalendar) -> tuple[DeloadStart, ...]:
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
        found.append(DeloadStart(draft.index + 1, start, days, cause, reason, decided_once(deload.fired)))
    return tuple(found)
