"""What fired rules do to a week: how much of each quantity it keeps, and what they set outright."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.rules.model import Fired

QUANTITIES: Final = ("run", "long", "lower", "upper")
_TOUCHES: Final[Mapping[str, tuple[str, ...]]] = {
    "volume": ("run", "lower", "upper"),
    "run_minutes": ("run",),
    "run_volume": ("run",),
    "long_run_minutes": ("long",),
    "sets": ("lower", "upper"),
    "lower_sets": ("lower",),
    "lower_volume": ("lower",),
    "upper_sets": ("upper",),
    "upper_volume": ("upper",),
}


def shares_kept(fired: Iterable[Fired]) -> dict[str, float]:
    """Share of its normal amount that each of ``QUANTITIES`` keeps: 1 when nothing touches it.

    Where several rules speak the strictest counts; cuts are never multiplied with each other. A change such as −45 %
    keeps 0.55, a cap such as 60 % keeps 0.6. Nothing falls below 0.
    """
    kept = dict.fromkeys(QUANTITIES, 1.0)
    for rule in fired:
        capped = rule.rule.outcome == "cap"
        for name, value in rule.values.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            for quantity in _TOUCHES.get(name, ()):
                share = float(value) if capped else 1.0 + float(value)
                kept[quantity] = max(0.0, min(kept[quantity], share))
    return kept


def largest_set(fired: Iterable[Fired], name: str, default: float) -> float:
    """The largest number that a ``set`` gives for ``name``, or the default when none does or all are smaller."""
    given = [float(rule.values[name]) for rule in fired if rule.rule.outcome == "set" and name in rule.values]
    return max([default, *given])


def last_set(fired: Iterable[Fired], name: str, default: Any) -> Any:
    """What the last rule in the pack's order sets ``name`` to: a later rule is the more particular one."""
    found = default
    for rule in fired:
        if rule.rule.outcome == "set" and name in rule.values:
            found = rule.values[name]
    return found


def smallest_cap(fired: Iterable[Fired], name: str, default: float) -> float:
    given = [float(rule.values[name]) for rule in fired if rule.rule.outcome == "cap" and name in rule.values]
    return min([default, *given])


def reasons_of(fired: Iterable[Fired]) -> tuple[str, ...]:
    """The reasons that the rules state, each once, in order. Rules that state none shape a week without remark."""
    return tuple(dict.fromkeys(str(rule.values["reason"]) for rule in fired if rule.values.get("reason")))
