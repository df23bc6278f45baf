"""What the athlete can take today: factors against one's own normal, the score, the gate, signs of overreaching."""

from services.recovery.domain.factors import Factor
from services.recovery.domain.gate import Gate, GatedSession, gate_session
from services.recovery.domain.inputs import EasyRun, ReadinessInputs, StreamRatio, StrengthMark
from services.recovery.domain.readiness import (
    DayFacts,
    Readiness,
    assess_readiness,
    assess_with_facts,
    days_looked_back,
    readiness_history,
)
from services.recovery.domain.signs import Sign

__all__ = [
    "DayFacts",
    "EasyRun",
    "Factor",
    "Gate",
    "GatedSession",
    "Readiness",
    "ReadinessInputs",
    "Sign",
    "StreamRatio",
    "StrengthMark",
    "assess_readiness",
    "assess_with_facts",
    "days_looked_back",
    "gate_session",
    "readiness_history",
]
