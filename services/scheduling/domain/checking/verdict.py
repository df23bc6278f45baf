"""What a check says: findings with the rule, the measurement, the limit and the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.contract.words import Severity
from shared.messages.json_text import page
from shared.rules.model import DecidedBy

MAX_TOLD = 50
"""Findings of one kind in one answer: pairs of sessions grow with the square of a calendar."""
MAX_TOLD_BYTES = 48 * 1024


class Shown(Protocol):
    def as_json(self) -> dict[str, Any]: ...


def told(name: str, findings: Sequence[Shown]) -> dict[str, Any]:
    """The first findings, and how many more there are."""
    shown, count = page((finding.as_json() for finding in findings), MAX_TOLD, MAX_TOLD_BYTES)
    return {name: shown, f"{name}_more": len(findings) - count}


@dataclass(frozen=True, slots=True)
class LegalStart:
    """Where a session could stand instead; ``start`` carries the athlete's offset."""

    session: str
    start: datetime

    def as_json(self) -> dict[str, str]:
        return {"session": self.session, "start": self.start.isoformat()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a calendar breaks (hard) or strains (soft). ``measured`` and ``limit`` share their keys."""

    rule: str
    severity: Severity
    sessions: tuple[str, ...]
    measured: Mapping[str, float | bool]
    limit: Mapping[str, float | bool]
    message: str
    source: str | None
    penalty: float = 0.0
    nearest_legal_start: LegalStart | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "sessions": list(self.sessions),
            "measured": dict(self.measured),
            "limit": dict(self.limit),
            "message": self.message,
            "source": self.source,
            "penalty": self.penalty,
            "nearest_legal_start": self.nearest_legal_start.as_json() if self.nearest_legal_start else None,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """``refused`` when any hard rule is broken; ``remarks`` are rules of severity advice; ``notes`` name what was
    not known."""

    verdict: Literal["accepted", "refused"]
    violations: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    remarks: tuple[Finding, ...]
    notes: tuple[str, ...]
    decided_by: tuple[DecidedBy, ...]

    def as_json(self) -> dict[str, Any]:
        """The JSON of ``tandem check --json``."""
        return {
            "verdict": self.verdict,
            **told("violations", self.violations),
            **told("warnings", self.warnings),
            **told("remarks", self.remarks),
            "notes": list(self.notes[:MAX_TOLD]),
            "decided_by": [decided.as_json() for decided in self.decided_by],
        }
