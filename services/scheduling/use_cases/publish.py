"""Which events tell what changed: a week as it is planned, a session that today's gate or a person adjusted."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from services.scheduling.domain.checking.verdict import Verdict
from services.scheduling.domain.week_plan import PlacedSession
from services.scheduling.messages import AdjustedSession, MoveSession, SessionAdjusted, WeekTold
from services.scheduling.store import GateRow
from services.scheduling.use_cases.adjust import sentences, tags
from services.scheduling.use_cases.athlete_context import AthleteContext


def publish_week(athlete: AthleteContext, document: Mapping[str, Any], published: str | None) -> str:
    """Emits the week unless it is what was ``published`` (a digest) already; the digest of what now is."""
    event = WeekTold.model_validate({"athlete": athlete.athlete, **document}).as_data()
    digest = _digest(event)
    if digest != published:
        athlete.context.emit(f"week-{document['status']}", event, athlete.athlete)
    return digest


def publish_adjustments(athlete: AthleteContext, gate: GateRow, placed: Sequence[Mapping[str, Any]]) -> None:
    """Emits session-adjusted for each session of the gate's day that differs from what was last published of it."""
    published = dict(gate.published)
    by_id = {session["id"]: session for session in placed}
    for gated in (AdjustedSession.model_validate(one) for one in gate.today):
        if gated.id not in by_id:
            continue
        before, after = tags(by_id[gated.id]), tags(gated.model_dump(exclude_none=True))
        changed = gated.changed and before != after
        event = SessionAdjusted(
            athlete=athlete.athlete,
            date=gate.date,
            session=gated.id,
            before=before,
            after=after if changed else before,
            changed=changed,
            why=sentences(gated.why) if changed else ["As planned again: the gate is open"],
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
        athlete.context.emit("session-adjusted", event, athlete.athlete)
    gate.published = published


def publish_move(
    athlete: AthleteContext, before: PlacedSession, after: PlacedSession, body: MoveSession, verdict: Verdict
) -> None:
    event = SessionAdjusted(
        athlete=athlete.athlete,
        date=after.start.date(),
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


def _digest(document: Any) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
