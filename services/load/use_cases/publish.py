"""Which events say what changed: a session's score, a day's load with the days that it changed, a spike that began."""

from datetime import date, timedelta
from typing import Any

from services.load.domain import DailyLoads, LoadAssessment, LoadSeries, ScoredSession
from services.load.messages import LiftMax, LoadAssessed, LoadSpiked, SessionScored
from services.load.store import LoadAthleteRow, SessionRow
from shared.athletes.batches import AthleteBatch
from shared.athletes.day_digests import changed_days, first_day, of_days_published
from shared.bus.routes import Context
from shared.contract.words import STREAMS
from shared.rules.model import DecidedBy, Pack

NOTHING_RECORDED: dict[str, Any] = {
    "state": "unknown",
    **{f"acwr_{name}": None for name in STREAMS},
    **{f"status_{name}": "no-data" for name in STREAMS},
    **{f"band_{name}": None for name in STREAMS},
}
"""The figures of a day before the first record."""
BANDS = "load-bands"
"""What ``decided_by`` names for load: the settings of the recovery pack that draw the bands."""


def decided_by_bands(pack: Pack) -> list[dict[str, str]]:
    return [DecidedBy(pack.id, pack.version, pack.hash[:12], BANDS, "advice").as_json()]


def publish_load(batch: AthleteBatch[LoadAthleteRow], series: LoadSeries, daily: DailyLoads, today: date) -> None:
    """With the assessment the figures of the days, of those that may have changed, that differ from what was published
    of them."""
    row, context = batch.row, batch.context
    assessment = series.assess(today)
    decided = decided_by_bands(context.rules.pack("recovery"))
    figures = series.day_figures(_days_to_publish(daily, batch.changed_from or today, today))
    days, digests = changed_days(figures, row.published_days, NOTHING_RECORDED)
    row.published_days = of_days_published(digests, today)
    event = LoadAssessed.model_validate(
        {"athlete": row.athlete, **assessment.as_json(), "provisional": True, "days": days, "decided_by": decided}
    )
    context.emit("load-assessed", event.as_data(), row.athlete)
    _publish_new_spikes(context, row, assessment, decided)


def _days_to_publish(daily: DailyLoads, changed_from: date, today: date) -> list[date]:
    """The changed day, the rest or unknown days right before it (a record turns unknown days into rest), and all
    after."""
    earliest = first_day(today)
    begin = min(max(changed_from, earliest), today)
    while begin > max(earliest, daily.first) and daily.state(begin - timedelta(days=1)) in ("rest", "unknown"):
        begin -= timedelta(days=1)
    return [begin + timedelta(days=index) for index in range((today - begin).days + 1)]


def _publish_new_spikes(
    context: Context, row: LoadAthleteRow, assessment: LoadAssessment, decided: list[dict[str, str]]
) -> None:
    """A spike once, when it begins, and only today's: filling in history raises nothing about the past."""
    today = assessment.date
    yesterday = today - timedelta(days=1)
    before = dict(row.published_spikes)
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
        row.published_spikes = after


def publish_scored(context: Context, row: SessionRow, scored: ScoredSession, athlete: LoadAthleteRow) -> None:
    """A stored session, or one that no longer counts."""
    done = scored.session
    zone = athlete.zone_at(done.start)
    loads = {part: load if row.counts else 0.0 for part, load in scored.parts.items()}
    event = SessionScored(
        athlete=row.athlete,
        session=row.session,
        revision=row.revision or 0,
        removed=not row.counts,
        start=scored.start,
        timezone=done.timezone or (zone.key if zone is not None and not done.start.utcoffset() else None),
        end=scored.end,
        date=row.day,
        duration_min=done.duration_min,
        **done.tags,
        rpe=done.stated_rpe,
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
