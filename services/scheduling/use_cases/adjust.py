"""Today's gate on today's sessions: lower intensity or volume, never another time, never a session less."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from services.scheduling.messages import GatedSession, SessionAdjusted
from services.scheduling.store import GateRow
from shared.bus.routes import Context
from shared.contract.sessions import TAGS

ADJUSTED = ("kind", *TAGS, "duration_min")


def tell_adjustments(context: Context, athlete: str, gate: GateRow, placed: Sequence[Mapping[str, Any]]) -> None:
    """Emits session-adjusted for each session of the gate's day that differs from what was last told about it."""
    told = dict(gate.told)
    by_id = {session["id"]: session for session in placed}
    for gated in (GatedSession.model_validate(one) for one in gate.today):
        if gated.id not in by_id:
            continue
        before, after = _tags(by_id[gated.id]), _tags(gated.model_dump(exclude_none=True))
        changed = gated.changed and before != after
        event = SessionAdjusted(
            athlete=athlete,
            date=gate.date,
            session=gated.id,
            before=before,
            after=after if changed else before,
            changed=changed,
            why=_sentences(gated.why) if changed else ["As planned again: the gate is open"],
            gate=gate.gate,
            override=None,
            decided_by=gate.decided_by,
        ).as_data()
        digest = sha256(json.dumps([event["after"], event["gate"]], sort_keys=True).encode()).hexdigest()
        if changed and told.get(gated.id) != digest:
            told[gated.id] = digest
        elif not changed and gated.id in told:
            del told[gated.id]
        else:
            continue
        context.emit("session-adjusted", event, athlete)
    gate.told = told


def after_gates(document: Mapping[str, Any], gates: Sequence[GateRow]) -> dict[str, Any]:
    """A week's document with each gated session as it is to be done; what was planned stays beside it."""
    gated = {
        one.id: (one, gate)
        for gate in gates
        for one in (GatedSession.model_validate(entry) for entry in gate.today)
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
