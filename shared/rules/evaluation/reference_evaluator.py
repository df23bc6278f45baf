"""The reference evaluator: walks a rule's condition as it stands, with three answers: true, false, unknown (None)."""

from collections.abc import Callable, Mapping

from shared.rules.model import AnyOf, Condition, DecidedBy, Facts, Leaf, Not, Op, Pack, Rule, Scalar, derived_feature

_COMPARE: Mapping[Op, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def compare(leaf: Leaf, facts: Facts) -> bool | None:
    """One comparison. A fact that is absent, None, NaN or of another type than the leaf's value is unknown."""
    if leaf.lasting_days is not None:
        lasted = facts.get(derived_feature(leaf))
        return lasted if isinstance(lasted, bool) else None
    return answer(leaf.op, leaf.value, facts.get(leaf.feature))


def answer(op: Op, wanted: Scalar, known: Scalar | None) -> bool | None:
    """The same for one fact."""
    if known is None or isinstance(known, bool) != isinstance(wanted, bool):
        return None
    if isinstance(wanted, bool | str):
        if type(known) is not type(wanted):
            return None
        return (known == wanted) if op == "==" else (known != wanted)
    if isinstance(known, str) or known != known:
        return None
    return _COMPARE[op](float(known), float(wanted))


def holds(condition: Condition, facts: Facts) -> bool | None:
    """Kleene's logic: one false makes ``All`` false and one true makes ``AnyOf`` true whatever is unknown."""
    if isinstance(condition, Leaf):
        return compare(condition, facts)
    if isinstance(condition, Not):
        inner = holds(condition.of, facts)
        return None if inner is None else not inner
    decisive = isinstance(condition, AnyOf)
    unknown = False
    for part in condition.of:
        answer = holds(part, facts)
        if answer is decisive:
            return decisive
        unknown = unknown or answer is None
    return None if unknown else not decisive


def decided_by(pack: Pack, rule: Rule) -> DecidedBy:
    return DecidedBy(pack.id, pack.version, pack.hash[:12], rule.id, rule.severity)


def measured(rule: Rule, facts: Facts) -> dict[str, float]:
    """What was measured, under the same names as ``rule.limit``."""
    found: dict[str, float] = {}
    for name in rule.limit:
        known = facts.get(name, facts.get(f"then_{name}", facts.get(f"first_{name}")))
        if isinstance(known, int | float) and not isinstance(known, bool):
            found[name] = float(known)
    return found
