"""Two rules that cannot both have their way: one is always broken, or one never has a say."""

from collections.abc import Mapping
from typing import Any

from shared.contract.sessions import TAGS
from shared.contract.words import INTENSITIES
from shared.rules.authoring.situations import fires_within, situations
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.model import All, AnyOf, Condition, Facts, Not, Rule

_LAST_COUNTS = frozenset(("priority", "quality_runs", "lift_sessions", "taper"))
"""What a later rule of the pack sets outright; of anything else the strictest counts."""
_HOW_THEY_LIE = ("gap_hours", "same_day")


def contradiction(rule: Rule, other: Rule) -> str | None:
    """Why no calendar can keep both rules where both apply; None when one can. Told of the later of the two."""
    if rule.shape != other.shape or "hard" not in (rule.severity, other.severity) or rule.id < other.id:
        return None
    if "watch" in (rule.mode, other.mode):
        return None
    if rule.outcome == other.outcome == "require":
        return _requirements(rule, other)
    if rule.shape == "pair" and rule.outcome == other.outcome == "forbid":
        return _no_gap_left(rule, other)
    return None


def _requirements(rule: Rule, other: Rule) -> str | None:
    applies_here, asks_here = _split(rule.when)
    applies_there, asks_there = _split(other.when)
    if asks_here is None or asks_there is None:
        return None
    both_apply: Condition = All((applies_here, applies_there))
    met: Condition = All((asks_here, asks_there))
    together = False
    for facts in situations([both_apply, met], rule.shape):
        if holds(both_apply, facts) is True:
            together = True
            if holds(met, facts) is True:
                return None
    return "where both apply, what they require cannot both be so" if together else None


def _split(when: Condition) -> tuple[Condition, Condition | None]:
    """A ``require`` rule's condition as "where it applies" and "what must be so", which the loader folds in last."""
    parts = when.of if isinstance(when, All) else (when,)
    last = parts[-1] if parts else None
    return (All(tuple(parts[:-1])), last.of) if isinstance(last, Not) else (when, None)


def _no_gap_left(rule: Rule, other: Rule) -> str | None:
    """Two bans that together leave a pair of sessions no gap at all."""
    either: Condition = AnyOf((rule.when, other.when))
    left: dict[tuple[tuple[str, object], ...], bool] = {}
    first: dict[tuple[tuple[str, object], ...], Facts] = {}
    for facts in situations([rule.when, other.when], "pair"):
        sessions = tuple((name, value) for name, value in facts.items() if name not in _HOW_THEY_LIE)
        left[sessions] = left.get(sessions, False) or holds(either, facts) is not True
        first.setdefault(sessions, facts)
    closed = next((sessions for sessions, open_ in left.items() if not open_), None)
    if closed is None:
        return None
    told = " then ".join(_described(first[closed], which) for which in ("first", "then"))
    return f"together they refuse every gap between two sessions ({told})"


def _described(facts: Facts, which: str) -> str:
    tags = (*reversed(TAGS), "kind")
    words = [str(value) for tag in tags if (value := facts.get(f"{which}_{tag}")) is not None]
    return " ".join(words[:-1] if facts.get(f"{which}_kind") == "other" else words)


def outdone(rule: Rule, other: Rule) -> str | None:
    """Why ``rule`` never has a say where ``other`` has one too; None when it does have its own."""
    if rule.outcome != other.outcome or rule.id == other.id:
        return None
    if rule.outcome == "gate":
        weaker = _weaker_gate(rule.values, other.values)
        return "is stricter wherever this rule gates" if weaker and fires_within(rule, other) else None
    if rule.outcome == "set" and rule.position is not None and other.position is not None:
        names = rule.values.keys() - {"reason"}
        later = (other.position.file, other.position.line) > (rule.position.file, rule.position.line)
        overruled = later and names and names <= _LAST_COUNTS & other.values.keys()
        return (
            "comes later and sets the same wherever this rule does" if overruled and fires_within(rule, other) else None
        )
    if rule.outcome == "deload":
        weaker = _weaker_cuts(rule.values, other.values)
        return "cuts as much wherever this rule does" if weaker and fires_within(rule, other) else None
    return None


def _weaker_gate(here: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    if "intensity" not in here or "intensity" not in there or "action" in here:
        return False
    return INTENSITIES.index(here["intensity"]) < INTENSITIES.index(there["intensity"])


def _weaker_cuts(here: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether every cut of ``here`` is one of ``there`` too, some of them deeper or longer there."""
    cuts = {name: value for name, value in here.items() if name not in ("reason", "intensity")}
    shared = all(isinstance(value, int | float) and name in there for name, value in cuts.items())
    if not shared or not cuts:
        return False
    deeper = [(there[name] - value) * (1 if name == "for" else -1) for name, value in cuts.items()]
    return bool(min(deeper) >= 0 and max(deeper) > 0)
