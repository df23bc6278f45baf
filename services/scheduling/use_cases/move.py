"""Moving one session by hand: allowed where no hard rule breaks, else only with a name and a reason on record."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.scheduling.domain.calendar import local_time
from services.scheduling.domain.checking.check import check_week, nearest_legal_start
from services.scheduling.domain.checking.verdict import LegalStart, Verdict
from services.scheduling.domain.week_plan import PlacedSession, placed_from_json
from services.scheduling.messages import MoveSession, SessionAdjusted
from services.scheduling.store import MoveRow, OverrideRow, PlanRow, Version
from services.scheduling.use_cases.plan import Desk, edit_plan, replaced_by, surroundings
from shared.bus.routes import Rejected
from shared.messages.problems import Problem
from shared.messages.values import PlannedSession


def move(desk: Desk, body: MoveSession, version: Version) -> dict[str, Any]:
    """Takes a move and tells it; returns what the reply carries. Raises ``Rejected`` with each broken rule."""
    held = desk.store.plan_with(desk.athlete, body.session)
    if held is None:
        raise Rejected([Problem("/session", "unknown_session", f"no planned week holds a session '{body.session}'")])
    placed = {one["id"]: placed_from_json(one) for one in held.placed}
    if placed[body.session].session.type == "race":
        raise Rejected([Problem("/session", "race", "a race stays where it is; change the goal instead")])
    if replaced_by(desk.store.request(desk.athlete, held.week_start), version):
        return {"ignored": "a later plan-week replaced this calendar"}
    verdict, nearest = _judge(desk, held, placed, body)
    broken = [one for one in verdict.violations if body.session in one.sessions]
    if broken and body.override is None:
        raise Rejected([Problem("/start", one.rule, one.message + _way_out(nearest)) for one in broken])
    key = {"athlete": desk.athlete, "session": body.session}
    values = {"start": body.start, "overridden": [{"rule": one.rule, "sessions": list(one.sessions)} for one in broken]}
    if not desk.store.keep(MoveRow, key, values, version):
        return {"ignored": "a later move is held"}
    if broken and body.override is not None:
        desk.store.db.add(
            OverrideRow(
                tenant=desk.context.tenant,
                athlete=desk.athlete,
                message_id=version[1],
                session=body.session,
                start=body.start,
                by=body.override.by,
                reason=body.override.reason,
                violations=[one.as_json() for one in broken],
                at=version[0],
            )
        )
    _tell(desk, held, placed[body.session], body, verdict)
    return {
        "warnings": [one.as_json() for one in verdict.warnings if body.session in one.sessions],
        "overridden": [one.as_json() for one in broken],
    }


def _judge(
    desk: Desk, held: PlanRow, placed: Mapping[str, PlacedSession], body: MoveSession
) -> tuple[Verdict, LegalStart | None]:
    sessions = [
        one.session.model_copy(update={"start": body.start if name == body.session else one.start})
        for name, one in placed.items()
    ]
    around: list[PlannedSession] = surroundings(desk, held.week_start, set(placed))
    profile = desk.profile_in(held.week_start)
    rules = desk.context.rules
    verdict = check_week(sessions, profile, rules, desk.limits, around, desk.windows)
    if verdict.verdict == "accepted":
        return verdict, None
    return verdict, nearest_legal_start(body.session, sessions, profile, rules, desk.limits, around, desk.windows)


def _way_out(nearest: LegalStart | None) -> str:
    if nearest is None:
        return "; no legal start within 7 days"
    return f"; the nearest legal start is {nearest.start.isoformat()}"


def _tell(desk: Desk, held: PlanRow, was: PlacedSession, body: MoveSession, verdict: Verdict) -> None:
    zone = desk.profile.zone
    start = local_time(round(body.start.timestamp()), zone)
    end = local_time(round((body.start + timedelta(minutes=was.session.duration_min)).timestamp()), zone)
    by = "" if body.override is None else f" by {body.override.by}: {body.override.reason}"
    why = [f"Moved from {was.start:%a %H:%M} to {start:%a %H:%M}{by}"]
    moved = PlacedSession(was.session, start, end, True, tuple(why))
    decided_by = [decided.as_json() for decided in verdict.decided_by]
    sessions = [moved.as_json() if one["id"] == was.session.id else one for one in held.placed]
    document = {
        **held.document,
        "sessions": sorted(sessions, key=lambda one: (placed_from_json(one).start, one["id"])),
        "penalties": [one.as_json() for one in verdict.warnings],
        "optimal": False,
        "decided_by": decided_by,
    }
    edit_plan(desk, held, document)
    event = SessionAdjusted(
        athlete=desk.athlete,
        date=start.date(),
        session=was.session.id,
        before=was.as_json(),
        after=moved.as_json(),
        changed=True,
        why=why,
        gate=None,
        override=None if body.override is None else body.override.model_dump(),
        decided_by=decided_by,
    )
    desk.context.emit("session-adjusted", event.as_data(), desk.athlete)
