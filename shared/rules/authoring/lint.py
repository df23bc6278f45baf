"""What a coach would not want to have written: exact, over every situation that the rules can tell apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared.contract.words import PackKind
from shared.located_yaml.nodes import Position
from shared.rules.authoring.clashes import contradiction, outdone
from shared.rules.authoring.difference import sentences_about
from shared.rules.authoring.feature_ranges import range_of
from shared.rules.authoring.situations import TooManySituations, fires_within, overlap, situations, trying_for
from shared.rules.authoring.supplied_features import supplied_elsewhere
from shared.rules.evaluation.closures import known_not_to_hold, known_to_hold
from shared.rules.evaluation.explain import named
from shared.rules.evaluation.reference_evaluator import holds
from shared.rules.model import Leaf, Pack, Rule, leaves

Code = Literal[
    "never-fires", "never-told", "redundant", "shadowed", "contradictory", "allow-without-effect",
    "no-boundary-example", "no-source",
    "changes-nothing", "loosened", "switched-off", "unsatisfiable", "too-wide",
]  # fmt: skip

LINT_SECONDS = 60.0
"""Of processor time; the rules that are left after it are only said to be too wide."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """``code`` names the kind of finding; the position is the rule's."""

    code: Code
    rule: str
    message: str
    position: Position | None

    def __str__(self) -> str:
        at = f"{self.position.file}:{self.position.line}:{self.position.column}: " if self.position else ""
        return f"{at}rule {self.rule}: {self.message} [{self.code}]"

    def as_json(self) -> dict[str, str | int | None]:
        at = self.position
        return {
            "code": self.code,
            "rule": self.rule,
            "message": self.message,
            "file": at.file if at else None,
            "line": at.line if at else None,
            "column": at.column if at else None,
        }


def lint(pack: Pack, seconds: float = LINT_SECONDS) -> tuple[LintFinding, ...]:
    """Findings about one pack, in the pack's order. A rule with more situations than can be tried is said to be so."""
    with trying_for(seconds):
        return _findings(pack)


def _findings(pack: Pack) -> tuple[LintFinding, ...]:
    found: list[LintFinding] = []
    dead: set[str] = set()
    wide: set[str] = set()
    for rule in pack.rules:
        try:
            if _never_fires(rule):
                dead.add(rule.id)
        except TooManySituations:
            wide.add(rule.id)
    for rule in pack.rules:
        deaf = _never_supplied(rule, pack.kind)
        if deaf is not None:
            found.append(deaf)
            continue
        if rule.id in dead:
            found.append(_finding("never-fires", rule, "there is no situation in which this rule applies" + _why(rule)))
            continue
        found += _tried(rule, pack, dead | wide) if rule.id not in wide else [_too_wide(rule, "")]
        if rule.source is None:
            found.append(_finding("no-source", rule, "no 'source': say where the number comes from"))
    return tuple(found)


def _tried(rule: Rule, pack: Pack, left_out: set[str]) -> list[LintFinding]:
    """What trying its situations finds about a rule, alone and with the others."""
    try:
        others = [other for other in pack.rules if other.id not in left_out and other.id != rule.id]
        told = [*_covered(rule, others), *_without_boundary(rule)]
        against = [(other, why) for other in others if (why := contradiction(rule, other)) is not None]
        clashes = [_finding("contradictory", rule, f"with '{other.id}': {why}") for other, why in against[:1]]
        return [*clashes, *told]
    except TooManySituations:
        return [_too_wide(rule, "with the other rules ")]


def _too_wide(rule: Rule, together: str) -> LintFinding:
    return _finding("too-wide", rule, f"{together}it tells too many situations apart to try them all; split it")


def lint_tenant(base: Pack, tenant: Pack) -> tuple[LintFinding, ...]:
    """What a tenant's pack does to its base: overrides without effect, loosened rules, rules switched off."""
    found: list[LintFinding] = []
    over = {rule.id: rule for rule in tenant.rules}
    for rule in base.rules:
        now = over.get(rule.id)
        if now is None:
            found.append(_finding("switched-off", rule, "this rule of the base is off for the tenant"))
        elif _does(now) == _does(rule):
            if now.because != rule.because or now.title != rule.title:
                found.append(
                    _finding("changes-nothing", now, "the override changes the words of this rule, not what it does")
                )
        elif rule.severity == "hard" and _loosened_or_unclear(rule, now):
            how = "; ".join(sentences_about(rule, now))
            found.append(_finding("loosened", now, f"a hard rule of the base is loosened for the tenant: {how}"))
    return tuple(found)


def _finding(code: Code, rule: Rule, message: str) -> LintFinding:
    return LintFinding(code, rule.id, message, rule.position)


def _does(rule: Rule) -> tuple[object, ...]:
    return (rule.when, rule.severity, rule.penalty, rule.mode, rule.outcome, str(rule.values))


def _never_supplied(rule: Rule, kind: PackKind) -> LintFinding | None:
    """A rule that asks for what its kind is never supplied with, and so waits for an answer that never comes."""
    for leaf in leaves(rule.when):
        others = supplied_elsewhere(leaf.feature, kind)
        if others:
            whom = f"; {' and '.join(others)} rules are" if others else ""
            return _finding("never-told", rule, f"a {kind} rule is never told '{leaf.feature}'{whom}")
    return None


def _why(rule: Rule) -> str:
    """Which amount asks for what cannot be, where a single one does."""
    for leaf in leaves(rule.when):
        possible = range_of(leaf.feature)
        if isinstance(leaf.value, float) and leaf.op in ("==", ">", ">=", "<", "<=") and str(possible):
            beyond_most = possible.most is not None and (
                leaf.value > possible.most or (leaf.value == possible.most and leaf.op == ">")
            )
            below_least = possible.least is not None and (
                leaf.value < possible.least or (leaf.value == possible.least and leaf.op == "<")
            )
            never = (leaf.op in ("==", ">", ">=") and beyond_most) or (leaf.op in ("==", "<", "<=") and below_least)
            if never or (leaf.op == "==" and leaf.value not in possible):
                return f": '{leaf.feature}' is {possible}"
    return ""


def _never_fires(rule: Rule) -> bool:
    return not any(holds(rule.when, facts) is True for facts in situations([rule.when], rule.shape))


def _covered(rule: Rule, others: list[Rule]) -> Iterator[LintFinding]:
    counted = [other for other in others if other.mode != "watch"]
    if rule.outcome == "allow":
        softs = [other for other in counted if other.outcome != "allow" and other.severity != "hard"]
        if not any(overlap(rule, soft) for soft in softs):
            yield _finding("allow-without-effect", rule, "no soft rule applies where this one allows")
        hard = next((other for other in counted if other.severity == "hard" and fires_within(rule, other)), None)
        if hard is not None:
            yield _finding("allow-without-effect", rule, f"the hard rule '{hard.id}' refuses all that this one allows")
        return
    if rule.outcome not in ("forbid", "require"):
        weaker = next(((other, why) for other in counted if (why := outdone(rule, other)) is not None), None)
        if weaker is not None:
            yield _finding("shadowed", rule, f"'{weaker[0].id}' {weaker[1]}")
        return
    for other in counted:
        if other.severity != "hard" or other.outcome == "allow" or not fires_within(rule, other):
            continue
        if rule.severity == "hard" and not (fires_within(other, rule) and rule.id < other.id):
            yield _finding("redundant", rule, f"'{other.id}' refuses all that this rule refuses")
            return
        if rule.severity != "hard":
            yield _finding("shadowed", rule, f"the hard rule '{other.id}' refuses wherever this one would warn")
            return
    for other in counted:
        twins = other.severity == rule.severity == "soft" and other.outcome == rule.outcome and other.id < rule.id
        if twins and fires_within(rule, other) and fires_within(other, rule):
            yield _finding("redundant", rule, f"it warns exactly where '{other.id}' does, and both penalties count")
            return


def _without_boundary(rule: Rule) -> Iterator[LintFinding]:
    shown: dict[str, set[float]] = {}
    for example in rule.examples:
        for name, value in example.facts.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                shown.setdefault(_spelled(name), set()).add(float(value))
    thresholds = {(leaf.feature, float(leaf.value)) for leaf in leaves(rule.when) if _is_threshold(leaf)}
    missing = {
        (_spelled(feature), bound)
        for feature, bound in thresholds
        if bound not in shown.get(_spelled(feature), set()) and _matters(rule, feature, bound)
    }
    for name, bound in sorted(missing):
        yield _finding("no-boundary-example", rule, f"no example at {name} = {bound:g}, where the answer changes")


def _spelled(feature: str) -> str:
    """A feature in words; of either session the same, since an either-order rule needs no example twice."""
    return named(feature.removeprefix("first_").removeprefix("then_"))


def _matters(rule: Rule, feature: str, bound: float) -> bool:
    """Whether some answer changes at the threshold; another part of the condition may make it meaningless."""
    yes, no = known_to_hold(rule.when), known_not_to_hold(rule.when)
    for facts in situations([rule.when], rule.shape):
        around = [{**facts, feature: value} for value in (bound - 0.01, bound, bound + 0.01)]
        if len({(yes(near), no(near)) for near in around}) > 1:
            return True
    return False


def _is_threshold(leaf: Leaf) -> bool:
    return isinstance(leaf.value, float) and leaf.lasting_days is None and leaf.op in ("<", "<=", ">", ">=")


def _loosened_or_unclear(base: Rule, now: Rule) -> bool:
    """With too many situations to try, a changed hard rule is taken for loosened: better one remark too many."""
    try:
        return _loosened(base, now)
    except TooManySituations:
        return True


def _loosened(base: Rule, now: Rule) -> bool:
    return now.severity != "hard" or (now.mode != "enforce" and now.mode != base.mode) or not fires_within(base, now)
