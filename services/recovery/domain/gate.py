"""The day's gate: how hard and how much. It lowers, it never cancels (requirement R3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.recovery.domain.settings import RecoverySettings
from shared.contract.sessions import EASY_RUN_TYPES, HARD_EFFORTS
from shared.contract.words import INTENSITIES, Intensity
from shared.messages.values import PlannedSession
from shared.rules.model import DecidedBy, Fired

NO_DATA = "no data: nothing is known about this morning, so nothing is held back"


@dataclass(frozen=True, slots=True)
class Gate:
    """``volume_factor``: share of the planned minutes. ``quality_steps``: steps down for quality runs and heavy
    lifts."""

    intensity: Intensity
    volume_factor: float
    reason: str
    rules: tuple[str, ...] = ()
    quality_steps: int = 0
    limiting_factor: str | None = None
    decided_by: tuple[DecidedBy, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return {
            "intensity": self.intensity,
            "volume_factor": self.volume_factor,
            "reason": self.reason,
            "rules": list(self.rules),
        }


@dataclass(frozen=True, slots=True)
class GatedSession:
    """A planned session after the gate; ``why`` in words, also where nothing changed but something is to be said."""

    session: PlannedSession
    changed: bool
    why: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        shown = self.session.model_dump(mode="json", exclude_none=True)
        return {**shown, "changed": self.changed, "why": list(self.why)}


def gate_from(fired: Sequence[Fired], doubt: str | None) -> Gate:
    """The strictest of the gates that fired; among equals the smallest volume. Every rule that fired is named. Where
    none did, ``doubt`` says what that rests on."""
    asked = [one for one in fired if "intensity" in one.values]
    if not asked:
        return Gate("full", 1.0, doubt or "nothing is outside normal")
    strictest = min(
        asked,
        key=lambda one: (-INTENSITIES.index(one.values["intensity"]), float(one.values.get("volume_factor", 1.0))),
    )
    deciding = [one for one in asked if one.values["intensity"] == strictest.values["intensity"]]
    limiting = next((str(one.values["limiting_factor"]) for one in asked if "limiting_factor" in one.values), None)
    intensity: Intensity = strictest.values["intensity"]
    return Gate(
        intensity=intensity,
        volume_factor=float(strictest.values.get("volume_factor", 1.0)),
        reason="; ".join(dict.fromkeys(str(one.values.get("reason", one.rule.title)) for one in deciding)),
        rules=tuple(one.id for one in asked),
        quality_steps=int(strictest.values.get("quality_steps", 1)) if intensity == "reduced" else 0,
        limiting_factor=limiting,
        decided_by=tuple(one.decided_by for one in asked),
    )


def gate_session(session: PlannedSession, gate: Gate, settings: Mapping[str, Any]) -> GatedSession:
    """The session under the gate: shorter and easier, never removed. A race is left as it is and only flagged."""
    numbers = RecoverySettings.of(settings)
    if gate.intensity == "full":
        return GatedSession(session, False, ())
    if session.type == "race":
        return GatedSession(
            session, False, (f"A race is not changed; the day's gate is {gate.intensity}: {gate.reason}",)
        )
    changes: dict[str, Any] = {}
    why: list[str] = []
    minutes = session.duration_min * gate.volume_factor
    if minutes != session.duration_min:
        changes["duration_min"] = round(minutes, 6)
        why.append(f"{session.duration_min:g} min becomes {minutes:g} min: {gate.reason}")
    name, before, after = _eased(session, gate, numbers)
    if after != before:
        changes[name] = after
        why.append(f"{before or 'a session without a stated ' + name} becomes {after}: {gate.reason}")
    return GatedSession(session.model_copy(update=changes), bool(changes), tuple(why))


def _eased(session: PlannedSession, gate: Gate, settings: RecoverySettings) -> tuple[str, str | None, str | None]:
    """Which tag changes, from what to what."""
    if session.kind == "run":
        kind = session.type
        if gate.intensity == "easy":
            return "type", kind, kind if kind in EASY_RUN_TYPES else "easy"
        return "type", kind, _steps_down(kind, gate.quality_steps, settings.step_down_run)
    if session.kind == "lift":
        effort = session.effort
        if gate.intensity == "easy":
            keep = effort is not None and effort not in HARD_EFFORTS
            return "effort", effort, effort if keep else settings.easy_lift_effort
        return "effort", effort, _steps_down(effort, gate.quality_steps, settings.step_down_lift)
    return "mode", session.mode, session.mode


def _steps_down(word: str | None, steps: int, table: Mapping[str, str]) -> str | None:
    for _ in range(steps):
        word = table.get(word, word) if word is not None else None
    return word
