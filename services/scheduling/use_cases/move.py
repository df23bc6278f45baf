"""Moving one session by hand: allowed where no hard rule breaks, else only with a name and a reason on record."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from services.scheduling.domain.availability import joined, spans_of_week
from services.scheduling.domain.calendar import duration_seconds, local_time, name_of
from services.scheduling.domain.checking.verdict import Finding, Verdict, told
from services.scheduling.domain.week_plan import PlacedSession, placed_from_json
from services.scheduling.messages import MoveSession, Override
from services.scheduling.store import MoveRow, OverrideRow, PlanRow
from services.scheduling.use_cases.gather import CheckInputs
from services.scheduling.use_cases.plan import store_and_publish
from services.scheduling.use_cases.publish import publish_move
from services.scheduling.use_cases.record import AthleteContext
from shared.bus.routes import APPLIED, Accepted, Rejected, accepted, effect_of
from shared.db.versions import Version, upsert_newer
from shared.messages.validation import Problem
from shared.messages.values import PlannedSession

AVAILABILITY = "availability"


def move(athlete: AthleteContext, body: MoveSession, version: Version) -> Accepted:
    """Takes a move and publishes it. Raises ``Rejected`` with each broken rule."""
    plan = _week_of(athlete, body)
    _check_start(athlete, plan.week_start, body.start)
    placed = {one["id"]: placed_from_json(one) for one in plan.placed}
    if placed[body.session].session.type == "race":
        raise Rejected([Problem("/session", "race", "a race stays where it is; change the goal instead")])
    request = athlete.store.request(plan.week_start)
    if request is not None and request.replaces(version):
        return accepted(effect_of(version, request.version))
    calendar = _after_move(athlete, plan, placed, body)
    verdict = calendar.verdict(athlete.context.rules)
    broken = [one for one in verdict.violations if body.session in one.sessions]
    broken += _unavailable(athlete, plan.week_start, placed[body.session].session, body)
    if broken and body.override is None:
        way_out = _way_out(athlete, calendar, body.session)
        raise Rejected([Problem("/start", one.rule, one.message + way_out) for one in broken])
    overridden = [{"rule": one.rule, "sessions": list(one.sessions)} for one in broken]
    row = MoveRow(
        **athlete.store.key,
        week_start=plan.week_start,
        session=body.session,
        start=body.start,
        overridden=overridden,
        version=version,
    )
    effect = effect_of(version, upsert_newer(athlete.store.db, row))
    if effect != APPLIED:
        return accepted(effect)
    if broken and body.override is not None:
        _record_override(athlete, body, body.override, broken, version)
    _take(athlete, plan, placed[body.session], body, verdict)
    return accepted(
        effect,
        warnings=[one.as_json() for one in verdict.warnings if body.session in one.sessions],
        overridden=[one.as_json() for one in broken],
    )


def _week_of(athlete: AthleteContext, body: MoveSession) -> PlanRow:
    """The plan of the week that is meant."""
    held = athlete.store.plans_with(body.session, body.week or athlete.today - timedelta(days=6))
    found = [plan for plan in held if body.week in (None, plan.week_start)]
    if not found:
        where = f"the week of {body.week}" if body.week else "no week that is planned and not over"
        message = f"{where} {'has no' if body.week else 'holds a'} session '{body.session}'"
        raise Rejected([Problem("/session", "unknown_session", message)])
    if len(found) > 1:
        weeks = " and ".join(str(plan.week_start) for plan in found)
        message = f"'{body.session}' stands in the weeks of {weeks}; say by 'week' which one is meant"
        raise Rejected([Problem("/session", "ambiguous", message)])
    return found[0]


def _check_start(athlete: AthleteContext, week_start: date, start: datetime) -> None:
    """A move stays inside its own week, and ahead of now."""
    problems, last = [], week_start + timedelta(days=6)
    if not week_start <= athlete.profile.day_of(start) <= last:
        message = f"a session moves within its week, {week_start} to {last}; ask for it in another week by plan-week"
        problems.append(Problem("/start", "other_week", message))
    now = athlete.context.now()
    if start <= now:
        message = f"{start.isoformat()} is over; it is {now.astimezone(athlete.profile.zone):%Y-%m-%d %H:%M}"
        problems.append(Problem("/start", "past", message))
    if problems:
        raise Rejected(problems)


def _unavailable(
    athlete: AthleteContext, week_start: date, session: PlannedSession, body: MoveSession
) -> list[Finding]:
    """That the athlete has no time there, as a finding; nothing where no times were given."""
    windows, starts = athlete.store.windows(), round(body.start.timestamp())
    if windows is None:
        return []
    weeks = (week_start - timedelta(days=7), week_start, week_start + timedelta(days=7))
    spans = joined([span for week in weeks for span in spans_of_week(windows, week, athlete.profile.zone)])
    if any(span.holds(starts, duration_seconds(session)) for span in spans):
        return []
    message = f"{name_of(session)} '{session.id}' would not stand within the availability"
    return [Finding(AVAILABILITY, "hard", (session.id,), {"available": False}, {"available": True}, message, None)]


def _after_move(
    athlete: AthleteContext, plan: PlanRow, placed: Mapping[str, PlacedSession], body: MoveSession
) -> CheckInputs:
    sessions = [
        one.session.model_copy(update={"start": body.start}) if name == body.session else one.standing
        for name, one in placed.items()
    ]
    return athlete.gather_plan(plan.week_start, sessions)


def _way_out(athlete: AthleteContext, calendar: CheckInputs, session: str) -> str:
    nearest = calendar.nearest_start(session, athlete.context.rules)
    if nearest is None:
        return "; no legal start within 7 days"
    return f"; the nearest legal start is {nearest.start.isoformat()}"


def _record_override(
    athlete: AthleteContext, body: MoveSession, override: Override, broken: Sequence[Finding], version: Version
) -> None:
    at, message_id = version
    athlete.store.db.add(
        OverrideRow(
            **athlete.store.key,
            message_id=message_id,
            session=body.session,
            start=body.start,
            by=override.by,
            reason=override.reason,
            violations=[one.as_json() for one in broken],
            at=at,
        )
    )


def _take(athlete: AthleteContext, plan: PlanRow, before: PlacedSession, body: MoveSession, verdict: Verdict) -> None:
    zone = athlete.profile.zone
    start = local_time(round(body.start.timestamp()), zone)
    end = local_time(round((body.start + timedelta(minutes=before.session.duration_min)).timestamp()), zone)
    by = "" if body.override is None else f" by {body.override.by}: {body.override.reason}"
    why = f"Moved from {before.start:%a %H:%M} to {start:%a %H:%M}{by}"
    after = PlacedSession(before.session, start, end, True, (why,))
    sessions = [after.as_json() if one["id"] == body.session else one for one in plan.placed]
    document = {
        **plan.document,
        "sessions": sorted(sessions, key=lambda one: (placed_from_json(one).start, one["id"])),
        **told("penalties", verdict.warnings),
        "optimal": False,
        "decided_by": [decided.as_json() for decided in verdict.decided_by],
    }
    store_and_publish(athlete, plan.week_start, document)
    publish_move(athlete, plan.week_start, before, after, body, verdict)
