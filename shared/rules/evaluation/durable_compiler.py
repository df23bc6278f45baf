"""From conditions to durable-rules rulesets, inside the limits where durable-rules 2.0.28 was found to be right.

Each ruleset matches one fact at a time, against constants only: no joins, no events, no arithmetic. The first leaf of
every rule is the fact's kind, the first rule a sentinel that always fires, at most ``MAX_RULES`` per handle. Numbers
are written fixed-point, text ASCII-escaped, and words the rules do not know are not passed on at all.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from shared.rules.evaluation.normal_form import Branch, Channel, Literal, branches_once
from shared.rules.model import Condition, Facts, Op, Scalar

MAX_RULES = 49
"""Per handle, beside the sentinel: the engine's stack of satisfied leaves ends at 64, its lists at 128."""
MAX_COMPILED_RULES = 1_000
"""Per pack: twenty handles, each of which is asked about every fact. The shipped packs come to 50 at most."""
MAX_MAGNITUDE = 1e15
"""Beyond 2**53 the engine saturates. Facts are clamped here, which no constant in ``CONSTANT_RANGE`` can notice."""
MIN_MAGNITUDE = 1e-12
CONSTANT_RANGE = (1e-9, 1e12)

_OPERATORS: Mapping[Op, str] = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_OTHER_WORD = '"?"'
_KIND = '{"_k":"q"}'


class PackTooLarge(ValueError):
    """The rules of a pack compile to more single-fact rules than the engine is given."""


class ConstantOutOfRange(ValueError):
    """A rule compares with a number that the engine cannot tell from its neighbours."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Rulesets in the engine's JSON and how facts are written for them. ``key`` names this very content."""

    key: str
    rulesets: tuple[str, ...]
    aliases: Mapping[str, Mapping[Channel, str]]
    words: Mapping[str, str]

    plan: tuple[tuple[str, Mapping[Channel, str]], ...] = field(init=False)

    def __post_init__(self) -> None:
        plan = (
            (feature, {channel: f'"{alias}":' for channel, alias in channels.items()})
            for feature, channels in self.aliases.items()
        )
        object.__setattr__(self, "plan", tuple(plan))

    def body(self, facts: Facts) -> str:
        """``facts`` as members of a JSON object: only what the rules ask for, and nothing for what is unknown."""
        members = []
        for feature, written in self.plan:
            value = facts.get(feature)
            if value is None:
                continue
            if isinstance(value, str):
                if "text" in written:
                    members.append(written["text"] + self.words.get(value, _OTHER_WORD))
            elif isinstance(value, bool):
                if "truth" in written:
                    members.append(written["truth"] + ("true" if value else "false"))
            elif "number" in written and (digits := fixed_point(float(value))) is not None:
                members.append(written["number"] + digits)
        return ",".join(members)


def compile_conditions(conditions: Sequence[Condition]) -> Compiled:
    """Compile ``conditions``; the engine answers with their positions.

    Raises ``PackTooLarge``, ``ConstantOutOfRange`` and what ``normal_form.branches`` raises.
    """
    cases = [(position, branch) for position, condition in enumerate(conditions) for branch in branches_once(condition)]
    if len(cases) > MAX_COMPILED_RULES:
        raise PackTooLarge(
            f"the rules come to {len(cases)} separate cases, at most {MAX_COMPILED_RULES} are allowed: "
            "use fewer rules, or fewer alternatives in them"
        )
    aliases: dict[str, dict[Channel, str]] = {}
    words: dict[str, str] = {}
    rulesets = tuple(
        _ruleset(cases[start : start + MAX_RULES], aliases, words) for start in range(0, len(cases), MAX_RULES)
    )
    key = hashlib.sha256("\n".join(rulesets).encode()).hexdigest()
    return Compiled(key, rulesets, aliases, words)


def fixed_point(value: float) -> str | None:
    """``value`` without an exponent; None for NaN, which is no known number."""
    if value != value:
        return None
    clamped = min(max(value, -MAX_MAGNITUDE), MAX_MAGNITUDE)
    if clamped and abs(clamped) < MIN_MAGNITUDE:
        clamped = MIN_MAGNITUDE if clamped > 0 else -MIN_MAGNITUDE
    text = repr(clamped)
    return format(Decimal(text), "f") if "e" in text else text


def _ruleset(cases: Sequence[tuple[int, Branch]], aliases: dict[str, dict[Channel, str]], words: dict[str, str]) -> str:
    rules = [f'"sentinel":{_rule([_KIND])}']
    for number, (position, branch) in enumerate(cases):
        # Memberships last: the engine goes through what follows an `$or` once per way into it.
        ordered = sorted(branch, key=lambda it: (len(it.values) > 1, it.feature, it.op, str(it.values)))
        rules.append(f'"r{position}_{number}":{_rule([_KIND, *(_leaf(it, aliases, words) for it in ordered)])}')
    return f"{{{','.join(rules)}}}"


def _rule(leaves: Sequence[str]) -> str:
    pattern = leaves[0] if len(leaves) == 1 else f'{{"$and":[{",".join(leaves)}]}}'
    return f'{{"all":[{{"m":{pattern}}}]}}'


def _leaf(literal: Literal, aliases: dict[str, dict[Channel, str]], words: dict[str, str]) -> str:
    channels = aliases.setdefault(literal.feature, {})
    if literal.channel not in channels:
        channels[literal.channel] = f"f{sum(map(len, aliases.values()))}"
    alias = channels[literal.channel]
    members = [f'{{"{alias}":{_constant(literal, value, words)}}}' for value in literal.values]
    if literal.op == "==":
        # The members of a set exclude one another, so only one branch of the `$or` can hold and the rule fires once.
        return members[0] if len(members) == 1 else f'{{"$or":[{",".join(members)}]}}'
    return f'{{"{_OPERATORS[literal.op]}":{members[0]}}}'


def _constant(literal: Literal, value: Scalar, words: dict[str, str]) -> str:
    if literal.channel == "truth":
        return "true" if value else "false"
    if literal.channel == "text":
        # Prefixed, so that no word of a rule can be taken for the placeholder of a word the rules do not know.
        return words.setdefault(str(value), json.dumps(f"={value}"))
    number = float(value)
    smallest, largest = CONSTANT_RANGE
    text = fixed_point(number)
    if text is None or abs(number) > largest or 0 < abs(number) < smallest:
        raise ConstantOutOfRange(
            f"'{literal.feature} {literal.op} {value}': use 0 or a number between {smallest:g} and {largest:g}"
        )
    return text
