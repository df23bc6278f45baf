"""One rule's answer about one thing asked, as text lines and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.scheduling.domain.checking.verdict import LegalStart
from shared.rules.evaluation.explain import Explanation
from shared.rules.model import Rule

Answer = tuple[str, tuple[str, ...], Explanation]
"""What was asked about, the sessions' ids, and what the rule says."""


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """``about``: the sessions, week or day asked about; of a silent rule the nearest miss."""

    pack: str
    rule: Rule
    about: str
    explanation: Explanation
    way_out: LegalStart | None = None
    nearest_miss: bool = False

    @property
    def answer(self) -> str:
        return {True: "fires", False: "silent", None: "unknown"}[self.explanation.answer]

    def as_json(self) -> dict[str, Any]:
        return {
            "pack": self.pack,
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": self.rule.severity,
            "mode": self.rule.mode,
            "answer": self.answer,
            "about": self.about,
            "nearest_miss": self.nearest_miss,
            "why": self.explanation.text,
            "causes": [
                {
                    "feature": cause.feature,
                    "answer": cause.answer,
                    "margin": cause.margin,
                    "held_days": cause.held_days,
                    "text": cause.text,
                }
                for cause in self.explanation.causes
            ],
            "nearest_legal_start": self.way_out.as_json() if self.way_out else None,
        }


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Rules that the file gives nothing to ask about, and what would have to stand in it."""

    pack: str
    rules: tuple[str, ...]
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"pack": self.pack, "rules": list(self.rules), "reason": self.reason}


def nearest_miss(answers: Sequence[Answer]) -> list[Answer]:
    """What a coach asks about first: what nobody knows, then what failed by numbers alone and by the least."""

    def distance(answer: Answer) -> tuple[bool, int, float]:
        causes = answer[2].causes
        # Another kind of session is much farther off than another effort or priority.
        words = sum((cause.margin is None) + 3 * cause.feature.endswith("_kind") for cause in causes)
        return (answer[2].answer is False, words, sum(abs(cause.margin or 0.0) for cause in causes))

    return sorted(answers, key=distance)[:1]
