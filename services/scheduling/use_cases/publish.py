"""What is told of a week: its events when something changed, and the week with its gates applied for whoever asks.

Today's gate on today's sessions: lower intensity or volume, never another time, never a session less.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from services.scheduling.domain.checking.verdict import Verdict
from services.scheduling.domain.ics import touched
from services.scheduling.domain.week_plan import PlacedSession
from services.scheduling.messages import AdjustedSession, MoveSession, SessionAdjusted, WeekTold
from services.scheduling.store import GateRow, PlanRow
from services.scheduling.use_cases.record import AthleteContext
from shared.contract.sessions import TAGS

ADJUSTED = ("kind", *TAGS, "duration_min")


def publish_week(athlete: AthleteContext, document: Mapping[str, Any], published: str | None) -> str:
    """Emits the week unless it is what was ``published`` (a digest) already; the digest of what now is."""
    event = WeekTold.model_validate({"athlete": athlete.athlete, **document}).as_data()
    digest = _digest(event)
    if digest != published:
        athlete.context.emit(f"week-{document['status']}", event, athlete.athlete)
    return digest


def publish_adjustments(athlete: AthleteContext, gate: GateRow, plan: PlanRow) -> None:
    """Emits session-adjusted for each session of the gate's day that differs from what was last published of it."""
    published = dict(gate.published)
    by_id = {session["id"]: session for session in plan.placed}
    for gated in (AdjustedSession.model_validate(one) for one in gate.today):
        if gated.id not in by_id:
            continue
        before, after = _tags(by_id[gated.id]), _tags(gated.model_dump(exclude_none=True))
        changed = gated.changed and before != after
        event = SessionAdjusted(
            athlete=athlete.athlete,
            date=gate.date,
            week_start=plan.week_start,
            session=gated.id,
            before=before,
            after=after if changed else before,
            changed=changed,
            why=_sentences(gated.why) if changed else ["As planned again: the gate is open"],
            gate=gate.gate,
            override=None,
            decided_by=gate.decided_by,
        ).as_data()
        digest = _digest([event["after"], event["gate"]])
        if changed and published.get(gated.id) != digest:
            published[gated.id] = digest
        elif not changed and gated.id in published:
            del published[gated.id]
        else:
            continue
        plan.calendar = touched(plan.calendar or {}, gated.id, athlete.context.now())
        athlete.context.emit("session-adjusted", event, athlete.athlete)
    gate.published = published


def publish_move(
    athlete: AthleteContext,
    week_start: date,
    before: PlacedSession,
    after: PlacedSession,
    body: MoveSession,
    verdict: Verdict,
) -> None:
    event = SessionAdjusted(
        athlete=athlete.athlete,
        date=after.start.date(),
        week_start=week_start,
        session=body.session,
        before=before.as_json(),
        after=after.as_json(),
        changed=True,
        why=list(after.why),
        gate=None,
        override=None if body.override is None else body.override.model_dump(),
        decided_by=[decided.as_json() for decided in verdict.decided_by],
    )
    athlete.context.emit("session-adjusted", event.as_data(), athlete.athlete)


def after_gates(document: Mapping[str, Any], gates: Sequence[GateRow]) -> dict[str, Any]:
    """A week's document with each gated session as it is to be done; what was planned stays beside it."""
    gated = {
        one.id: (one, gate)
        for gate in gates
        for one in (AdjustedSession.model_validate(entry) for entry in gate.today)
        if one.changed
    }
    sessions = []
    for session in document["sessions"]:
        one, gate = gated.get(session["id"], (None, None))
        before = _tags(session)
        if one is None or gate is None or datetime.fromisoformat(session["start"]).date() != gate.date:
            sessions.append(session)
            continue
        after = _tags(one.model_dump(exclude_none=True))
        end = datetime.fromisoformat(session["start"]) + timedelta(minutes=float(after["duration_min"]))
        rest = {name: value for name, value in session.items() if name not in ADJUSTED}
        sessions.append(
            {
                **rest,
                **after,
                "end": end.isoformat(),
                "changed": True,
                "planned": before,
                "why": [*session["why"], *_sentences(one.why)],
            }
        )
    return {**document, "sessions": sessions}


def _tags(session: Mapping[str, Any]) -> dict[str, Any]:
    return {name: session[name] for name in ADJUSTED if session.get(name) is not None}


def _sentences(why: str | list[str] | None) -> list[str]:
    if why is None:
        return []
    return [why] if isinstance(why, str) else list(why)


def _digest(document: Any) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
