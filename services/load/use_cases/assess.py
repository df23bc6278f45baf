"""From stored state to the day's assessment and the events that tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.load.domain import DailyLoads, LoadAssessment, LoadSeries, ScoredSession
from services.load.messages import LiftMax, LoadAssessed, LoadSpiked, SessionScored
from services.load.store import LoadAthleteRow, LoadStore, SessionRow
from services.load.use_cases.gather import gather_days
from shared.athletes.day_digests import changed_days
from shared.bus.routes import Context
from shared.contract.words import STREAMS
from shared.messages.values import Profile
from shared.rules.model import DecidedBy, Pack

MOST_DAYS_TOLD = 84
ATHLETES_READ_AT_ONCE = 20
NOTHING_RECORDED: dict[str, Any] = {
    "state": "unknown",
    **{f"acwr_{name}": None for name in STREAMS},
    **{f"status_{name}": "no-data" for name in STREAMS},
    **{f"band_{name}": None for name in STREAMS},
}
"""The figures of a day before the first record."""
BANDS = "load-bands"
"""What ``decided_by`` names for load: the settings of the recovery pack that draw the bands."""


def midnight_after(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local ``day`` is over, in UTC; right across daylight-saving changes."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def decided_by_bands(pack: Pack) -> list[dict[str, str]]:
    return [DecidedBy(pack.id, pack.version, pack.hash[:12], BANDS, "advice").as_json()]


@dataclass(frozen=True, slots=True)
class ToAssess:
    """An athlete whose today has to be assessed; the figures of days from ``changed_from`` on may have changed.

    ``context``: of the message that led to it, or of the last of several.
    """

    context: Context
    row: LoadAthleteRow
    profile: Profile
    changed_from: date | None

    @property
    def today(self) -> date:
        return self.profile.day_of(self.context.now())


def assess_today(store: LoadStore, athletes: Sequence[ToAssess]) -> None:
    """Assesses each athlete's today and tells it. All that was recorded must have been flushed."""
    with store.db.no_autoflush:
        for start in range(0, len(athletes), ATHLETES_READ_AT_ONCE):
            part = athletes[start : start + ATHLETES_READ_AT_ONCE]
            dailies = gather_days(store, {one.row.athlete: (one.profile, one.today) for one in part})
            for one in part:
                _assess(one.context, one.row, one.profile, dailies[one.row.athlete], one.changed_from)


def _assess(
    context: Context, row: LoadAthleteRow, profile: Profile, daily: DailyLoads, changed_from: date | None
) -> LoadAssessment:
    """Tells, with the assessment, the figures of the days from ``changed_from`` on that differ from those told before.

    A spike is told once, when it begins, and only today's: filling in history raises nothing about the past.
    """
    today = profile.day_of(context.now())
    series = LoadSeries(daily, context.rules.settings("recovery"), today)
    assessment = series.assess(today)
    decided = decided_by_bands(context.rules.pack("recovery"))
    figures = series.day_figures(_days_to_tell(daily, changed_from or today, today))
    news, after = changed_days(figures, row.told_days, NOTHING_RECORDED)
    oldest = (today - timedelta(days=MOST_DAYS_TOLD)).isoformat()
    row.told_days = {day: digest for day, digest in after.items() if day > oldest}
    told = LoadAssessed.model_validate(
        {
            "athlete": row.athlete,
            **assessment.as_json(),
            "provisional": True,
            "days": news,
            "decided_by": decided,
        }
    )
    context.emit("load-assessed", told.as_data(), row.athlete)
    _tell_new_spikes(context, row, assessment, decided)
    row.assessed_through = today
    row.due_at = midnight_after(today, profile.zone)
    return assessment


def _days_to_tell(daily: DailyLoads, changed_from: date, today: date) -> list[date]:
    """The changed day, the rest or unknown days right before it (a record turns unknown days into rest), and all
    after."""
    earliest = today - timedelta(days=MOST_DAYS_TOLD - 1)
    begin = min(max(changed_from, earliest), today)
    while begin > max(earliest, daily.first) and daily.state(begin - timedelta(days=1)) in ("rest", "unknown"):
        begin -= timedelta(days=1)
    return [begin + timedelta(days=index) for index in range((today - begin).days + 1)]


def _tell_new_spikes(
    context: Context, row: LoadAthleteRow, assessment: LoadAssessment, decided: list[dict[str, str]]
) -> None:
    today = assessment.date
    yesterday = today - timedelta(days=1)
    before = dict(row.told_spikes)
    seen = {":".join((spike.code, spike.stream, *spike.sessions)): spike for spike in assessment.spikes}
    new = [spike for key, spike in seen.items() if key not in before or date.fromisoformat(before[key]) < yesterday]
    if new:
        spiked = LoadSpiked(
            athlete=row.athlete, date=today, alerts=[spike.as_json() for spike in new], decided_by=decided
        )
        context.emit("load-spiked", spiked.as_data(), row.athlete)
    recent = {key: day for key, day in before.items() if date.fromisoformat(day) >= yesterday}
    after = recent | dict.fromkeys(seen, today.isoformat())
    if after != before:
        row.told_spikes = after


def tell_scored(context: Context, row: SessionRow, scored: ScoredSession, profile: Profile) -> None:
    """Emits ``session-scored`` for a stored session, or for one that no longer counts."""
    done = scored.session
    loads = {part: load if row.counts else 0.0 for part, load in scored.parts.items()}
    event = SessionScored(
        athlete=row.athlete,
        session=row.session,
        revision=row.revision or 0,
        removed=not row.counts,
        start=scored.start,
        end=scored.end,
        date=profile.day_of(scored.start),
        duration_min=done.duration_min,
        **done.tags,
        rpe=done.rpe,
        distance_km=done.distance_km,
        planned=done.planned,
        **loads,
        combined=sum(loads.values()),
        method=scored.method,
        status=scored.status,
        missing=list(scored.missing),
        e1rm=[LiftMax(lift=one.lift, e1rm_kg=one.e1rm_kg) for one in scored.e1rm],
    )
    context.emit("session-scored", event.as_data(), row.athlete)
