"""What a rule's mode makes of it, and which rules an ``allow`` cancels."""

from collections.abc import Sequence
from dataclasses import replace

from shared.rules.model import Rule

WARN_PENALTY = 100.0
"""Of a hard rule in mode ``warn`` that names no penalty: dear enough to be kept wherever a week allows it."""


def served_rule(rule: Rule) -> Rule:
    """``rule`` as its mode lets it act: in ``warn`` a hard rule is a soft one."""
    if rule.mode != "warn" or rule.severity != "hard":
        return rule
    return replace(rule, severity="soft", penalty=rule.penalty or WARN_PENALTY)


def cancellable(rule: Rule) -> bool:
    """Whether an ``allow`` cancels ``rule``: by its written severity, lest a hard rule on trial vanish."""
    return rule.severity != "hard" and rule.outcome != "allow"


def not_cancelled(fired: Sequence[int], rules: Sequence[Rule]) -> list[int]:
    """The positions in ``fired`` whose rules still count once the fired ``allow`` rules have had their say.

    The ``allow`` rules themselves ask for nothing, so they are not among them.
    """
    if not any(rules[at].outcome == "allow" for at in fired):
        return list(fired)
    return [at for at in fired if rules[at].severity == "hard" and rules[at].outcome != "allow"]
