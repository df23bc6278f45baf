"""Plans a season from all that is kept and tells what differs from what was told last."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.periodization.domain import (
    MAX_WEEKS_RUNNING,
    DeloadStart,
    Season,
    SeasonInputs,
    SeasonWeek,
    default_season_start,
    default_season_weeks,
    default_week_template,
    early_deload_triggers,
    fill_week,
    plan_season,
)
from services.periodization.store import Choices, Store
from shared.bus.routes import Context
from shared.messages.values import Goal, Profile
from shared.rules.decisions import Rules

HISTORY_BEFORE_SEASON: Final = timedelta(days=35)
"""How far before the season's start days are looked at: its first week may follow a trigger that lasted for weeks."""


def plan_and_tell(context: Context, athlete: str) -> None:
    """Plans the season from all that is kept and emits what differs from what was told last.

    Without a profile (no time zone, so no today) or without goals nothing is planned yet.
    """
    store = Store(context.db, context.tenant, athlete)
    kept = kept_of(context, athlete)
    row = store.season()
    if kept is None or row is None:
        return
    inputs = kept.inputs(context.rules)
    season = plan_season(inputs, context.rules)
    told = store.told_weeks(since=date.min)
    current = [week for week in season.weeks if week.end > kept.today]
    for week in current:
        event = _week_event(athlete, week, kept, context.rules)
        fingerprint = _fingerprint(event)
        before = told.pop(week.start, None)
        if before is None or before.fingerprint != fingerprint:
            store.tell_week(before, week.start, fingerprint)
            context.emit("week-targets-set", event, athlete)
    store.forget_told(told.values())
    summary = _season_event(athlete, season)
    fingerprint = _fingerprint(summary)
    if row.told != fingerprint:
        context.emit("season-planned", summary, athlete)
    for deload in season.deloads:
        if _is_news(deload, current, kept.today) and store.tell_deload(deload.start, deload.days):
            context.emit("deload-started", _deload_event(athlete, deload), athlete)
    row.due_at = datetime.combine(kept.today + timedelta(days=1), time.min, kept.profile.zone)
    row.packs, row.told = packs_of(context.rules), fingerprint
    row.triggers = _triggers(inputs, context.rules)
    context.db.flush()


def plan_if_triggers_changed(context: Context, athlete: str) -> None:
    """After news of days: most of it asks for no deload, and then the season cannot have changed."""
    kept = kept_of(context, athlete)
    row = Store(context.db, context.tenant, athlete).season()
    if kept is None or row is None:
        return
    if row.triggers != _triggers(kept.inputs(context.rules), context.rules):
        plan_and_tell(context, athlete)


class Kept:
    """All that is kept about one athlete's season, and the athlete's own today."""

    def __init__(self, profile: Profile, choices: Choices, asked_at: datetime, store: Store, today: date) -> None:
        self.profile = profile
        self.goals: tuple[Goal, ...] = choices.goals
        self.today = today
        self._choices = choices
        self._store = store
        self.start = choices.season_start or default_season_start(_local_day(asked_at, profile.zone))

    def inputs(self, rules: Rules, through: date | None = None) -> SeasonInputs:
        """``through``: a day up to whose week the season has to reach."""
        weeks = self._choices.weeks or default_season_weeks(self.start, self.goals, self.today, rules)
        if through is not None:
            weeks = max(weeks, min((through - self.start).days // 7 + 1, MAX_WEEKS_RUNNING))
        return SeasonInputs(
            start=self.start,
            weeks=weeks,
            template=self._choices.week_template or default_week_template(self.profile, rules),
            goals=self.goals,
            profile=self.profile,
            history=self._store.history(self.start - HISTORY_BEFORE_SEASON, self.today),
            coach_deloads=self._store.coach_deloads(),
            on=self.today,
        )


def kept_of(context: Context, athlete: str) -> Kept | None:
    store = Store(context.db, context.tenant, athlete)
    profile = store.profile()
    if profile is None:
        return None
    season = store.season()
    asked_at = context.now() if season is None else season.asked_at
    return Kept(profile, store.choices(), asked_at, store, _local_day(context.now(), profile.zone))


def _is_news(deload: DeloadStart, current: list[SeasonWeek], today: date) -> bool:
    """A planned deload is news when its week has come, one that a trigger or a coach asked for at once."""
    week = next((week for week in current if week.number == deload.week), None)
    return week is not None and (deload.cause != "planned" or week.start <= today)


def _week_event(athlete: str, week: SeasonWeek, kept: Kept, rules: Rules) -> dict[str, Any]:
    sessions = fill_week(week, kept.profile, kept.goals, rules)
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


def _season_event(athlete: str, season: Season) -> dict[str, Any]:
    """The season's JSON; each week's own ``decided_by`` travels with its week-targets-set, to keep this one small."""
    told = season.as_json()
    weeks = [{name: value for name, value in week.items() if name != "decided_by"} for week in told["weeks"]]
    return {"athlete": athlete, **told, "weeks": weeks}


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
    return hashlib.sha256(json.dumps({**event, "decided_by": rules}, sort_keys=True).encode()).hexdigest()


def _triggers(inputs: SeasonInputs, rules: Rules) -> str:
    found = [(day.isoformat(), names) for day, names in early_deload_triggers(inputs, rules)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def packs_of(rules: Rules) -> str:
    return "/".join(rules.pack(kind).hash for kind in ("deload", "periodization"))


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
