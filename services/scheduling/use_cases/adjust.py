"""Today's gate on today's sessions: lower intensity or volume, never another time, never a session less."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.scheduling.messages import AdjustedSession
from services.scheduling.store import GateRow
from shared.contract.sessions import TAGS

ADJUSTED = ("kind", *TAGS, "duration_min")


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
        before = tags(session)
        if one is None or gate is None or datetime.fromisoformat(session["start"]).date() != gate.date:
            sessions.append(session)
            continue
        after = tags(one.model_dump(exclude_none=True))
        end = datetime.fromisoformat(session["start"]) + timedelta(minutes=float(after["duration_min"]))
        rest = {name: value for name, value in session.items() if name not in ADJUSTED}
        sessions.append(
            {
                **rest,
                **after,
                "end": end.isoformat(),
                "changed": True,
                "planned": before,
                "why": [*session["why"], *sentences(one.why)],
            }
        )
    return {**document, "sessions": sessions}


def tags(session: Mapping[str, Any]) -> dict[str, Any]:
    return {name: session[name] for name in ADJUSTED if session.get(name) is not None}


def sentences(why: str | list[str] | None) -> list[str]:
    if why is None:
        return []
    return [why] if isinstance(why, str) else list(why)
