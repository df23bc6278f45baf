"""Moving one session by hand: allowed where no hard rule breaks, else only with a name and a reason on record."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.scheduling.domain.calendar import local_time
from services.scheduling.domain.checking.verdict import Finding, Verdict
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


def move(athlete: AthleteContext, body: MoveSession, version: Version) -> Accepted:
    """Takes a move and publishes it. Raises ``Rejected`` with each broken rule."""
    plan = athlete.store.plan_with(body.session)
    if plan is None:
        raise Rejected([Problem("/session", "unknown_session", f"no planned week holds a session '{body.session}'")])
    placed = {one["id"]: placed_from_json(one) for one in plan.placed}
    if placed[body.session].session.type == "race":
        raise Rejected([Problem("/session", "race", "a race stays where it is; change the goal instead")])
    request = athlete.store.request(plan.week_start)
    if request is not None and request.replaces(version):
        return accepted(effect_of(version, request.version))
    calendar = _after_move(athlete, plan, placed, body)
    verdict = calendar.verdict(athlete.context.rules)
    broken = [one for one in verdict.violations if body.session in one.sessions]
    if broken and body.override is None:
        way_out = _way_out(athlete, calendar, body.session)
        raise Rejected([Problem("/start", one.rule, one.message + way_out) for one in broken])
    overridden = [{"rule": one.rule, "sessions": list(one.sessions)} for one in broken]
    row = MoveRow(**athlete.store.key, session=body.session, start=body.start, overridden=overridden, version=version)
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
        "penalties": [one.as_json() for one in verdict.warnings],
        "optimal": False,
        "decided_by": [decided.as_json() for decided in verdict.decided_by],
    }
    store_and_publish(athlete, plan.week_start, document)
    publish_move(athlete, before, after, body, verdict)
