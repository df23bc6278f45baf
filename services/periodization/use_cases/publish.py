"""Which events tell what changed in a season since it was last published."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

from services.periodization.domain import DeloadStart, Season, SeasonInputs, SeasonWeek, fill_week
from services.periodization.store import SeasonStore
from shared.bus.routes import Context
from shared.messages.json_text import canonical
from shared.rules.decisions import Rules

_WEEKS_TOLD = timedelta(days=366)
_MAX_WEEKS_BYTES, _MAX_GOALS_BYTES, _NAME_CUT = 128 * 1024, 64 * 1024, 80


def publish_season(
    context: Context, store: SeasonStore, season: Season, inputs: SeasonInputs, published: str | None
) -> str:
    """Emits the weeks from the current one on, the season and the deloads that differ from what was published; the
    fingerprint of the season as it now is. ``published``: its last one."""
    athlete, today = store.athlete, inputs.on
    current = [week for week in season.weeks if week.end > today]
    _publish_weeks(context, store, current, inputs)
    event = _season_event(athlete, season, today)
    fingerprint = _fingerprint(event)
    if fingerprint != published:
        context.emit("season-planned", event, athlete)
    for deload in season.deloads:
        if _is_news(deload, current, today) and store.note_published_deload(deload.start, deload.days):
            context.emit("deload-started", _deload_event(athlete, deload), athlete)
    return fingerprint


def _publish_weeks(context: Context, store: SeasonStore, current: Sequence[SeasonWeek], inputs: SeasonInputs) -> None:
    rows = store.published_weeks(since=date.min)
    for week in current:
        event = _week_event(store.athlete, week, inputs, context.rules)
        fingerprint = _fingerprint(event)
        row = rows.pop(week.start, None)
        if row is None or row.fingerprint != fingerprint:
            store.note_published_week(row, week.start, fingerprint)
            context.emit("week-targets-set", event, store.athlete)
    for row in rows.values():
        store.db.delete(row)


def _is_news(deload: DeloadStart, current: list[SeasonWeek], today: date) -> bool:
    """A planned deload is news when its week has come, one that a trigger or a coach asked for at once."""
    week = next((week for week in current if week.number == deload.week), None)
    return week is not None and (deload.cause != "planned" or week.start <= today)


def _week_event(athlete: str, week: SeasonWeek, inputs: SeasonInputs, rules: Rules) -> dict[str, Any]:
    sessions = fill_week(week, inputs.profile, inputs.goals, rules)
    return {
        "athlete": athlete,
        "week_start": week.start.isoformat(),
        "number": week.number,
        "phase": week.phase,
        "deload": week.deload,
        "targets": week.targets(),
        "sessions": [session.model_dump(mode="json", exclude_none=True) for session in sessions],
        "reasons": list(week.reasons),
        "decided_by": [decided.as_json() for decided in week.decided_by],
    }


def _season_event(athlete: str, season: Season, today: date) -> dict[str, Any]:
    """The season's JSON, as much of it as an event holds: each week's own ``decided_by`` travels with its
    week-targets-set, and so do the reasons where they are many; weeks over for a year are only counted."""
    document = bounded(season.as_json())
    weeks = [{name: value for name, value in week.items() if name != "decided_by"} for week in document["weeks"]]
    over = sum(1 for week in season.weeks if week.end + _WEEKS_TOLD < today)
    return {"athlete": athlete, **document, "weeks": weeks[over:], "weeks_before": over}


def bounded(season: dict[str, Any]) -> dict[str, Any]:
    """A season's JSON that fits into a message, whatever its goals are called: long names are cut, and the reasons,
    which repeat them, are left to each week's own event."""
    weeks, goals = season["weeks"], season["goals"]
    if len(canonical(weeks)) > _MAX_WEEKS_BYTES:
        weeks = [{**week, "reasons": []} for week in weeks]
    if len(canonical(goals)) > _MAX_GOALS_BYTES:
        goals = [{**goal, "name": goal["name"][:_NAME_CUT]} if "name" in goal else goal for goal in goals]
    return {**season, "weeks": weeks, "goals": goals}


def _deload_event(athlete: str, deload: DeloadStart) -> dict[str, Any]:
    return {
        "athlete": athlete,
        "from": deload.start.isoformat(),
        "days": deload.days,
        "cause": deload.cause,
        "reason": deload.reason,
        "decided_by": [decided.as_json() for decided in deload.decided_by],
    }


def _fingerprint(event: Mapping[str, Any]) -> str:
    """What an event says, without the versions of the packs: a pack that decides the same is no news."""
    rules = [(decided["pack"], decided["rule"]) for decided in event["decided_by"]]
    return sha256(dumps({**event, "decided_by": rules}, sort_keys=True).encode()).hexdigest()
