"""Rule files that mean something: packs grown from the vocabulary, shipped packs with one token changed, overrides.

Most load, so that lint, compiler, cross-check and both evaluators see rules that no coach has written yet. Everything
follows from the dice alone.
"""

import random
import re
from collections.abc import Iterator, Sequence
from typing import get_args

from shared.contract.sessions import Effort, Mode, Region, RunType
from shared.contract.words import DayStrategy, Level, PackKind, Phase, Priority
from shared.rules.model import Outcome, Shape
from shared.rules.reading.header import DIALECT
from shared.rules.reading.outcome_values import OUTCOME_VALUES, OutcomeValue
from shared.rules.vocabulary import BUILTIN_WORDS, FEATURES, OUTCOMES_OF_PACK, SHAPE_OF_PACK, Feature, features_of
from tests.fuzz.grammar import KINDS, SHIPPED

_WHO: dict[str, Sequence[str]] = {
    "priority": get_args(Priority), "level": get_args(Level), "phase": get_args(Phase),
    "day_strategy": get_args(DayStrategy),
}  # fmt: skip
_TAGS: dict[str, dict[str, Sequence[str]]] = {
    "run": {"type": get_args(RunType)},
    "lift": {"region": get_args(Region), "effort": get_args(Effort)},
    "other": {"mode": get_args(Mode)},
}
_NUMBERS = ("0", "1", "2", "3", "4", "6", "7.5", "8", "12", "24", "24.5", "30", "48", "90", "0.1", "1.1", "1.5")
_UNITS = {"h": " h", "min": " min", "days": " days", "weeks": " weeks", "fraction": " %", "kg": " kg", "km": " km",
          "bpm": " bpm", "AU": " AU"}  # fmt: skip
_BOUNDS = ("less than", "more than", "at least", "at most", "exactly", "under", "over", "up to")


def grown_sound(dice: random.Random) -> str:
    """A base pack of one kind; ``expect`` of its examples is a guess, which ``guesses_mended`` puts right."""
    kind: PackKind = dice.choice(KINDS)
    words = [f"  word {at}: {_class(dice)}\n" for at in range(dice.randint(0, 3))]
    names = [f"word {at}" for at in range(len(words))]
    rules = "".join(_rule(dice, f"r{at}", kind, names) for at in range(dice.randint(1, 4)))
    declared = "words:\n" + "".join(words) if words else ""
    return f'dialect: {DIALECT}\nkind: {kind}\nid: base.{kind}\nversion: "1.0.0"\n{declared}rules:\n{rules}'


def _rule(dice: random.Random, name: str, kind: PackKind, words: Sequence[str]) -> str:
    shape: Shape = dice.choice([one for one in SHAPE_OF_PACK[kind] if one != "pair" or kind == "sequencing"])
    outcome: Outcome = dice.choice(OUTCOMES_OF_PACK[kind])
    lines = [f"id: {name}", f"title: rule {name}", f"when: {_condition(dice, shape, words, 2)}"]
    if kind == "sequencing":
        lines.append(f"severity: {dice.choice(['hard', 'soft'])}")
    if dice.random() < 0.3:
        lines.append(f"unless: {_condition(dice, shape, words, 1)}")
    if dice.random() < 0.3:
        lines.append(f"for athletes: {_who(dice)}")
    if dice.random() < 0.2:
        lines.append(f"mode: {dice.choice(['watch', 'warn', 'enforce'])}")
    lines += [_outcome(dice, outcome, shape), "because: the dice say so", "examples:"]
    lines += [f"  - {_example(dice, shape, f'{name} {at}')}" for at in range(dice.randint(1, 3))]
    return "  - " + "\n    ".join(lines) + "\n"


def _condition(dice: random.Random, shape: Shape, words: Sequence[str], depth: int) -> str:
    kind = dice.random()
    if depth and kind < 0.25:
        parts = ", ".join(_condition(dice, shape, words, depth - 1) for _ in range(dice.randint(1, 3)))
        return f"{{{dice.choice(['any', 'all'])}: [{parts}]}}"
    if depth and kind < 0.3:
        return f"{{not: {_condition(dice, shape, words, depth - 1)}}}"
    if shape != "pair":
        names = dice.sample(features_of(shape), dice.randint(1, 3))
        asked = [f"{name}: {_asked(dice, FEATURES[name])}" for name in names]
        lasting = [f"for: at least {dice.randint(1, 9)} days"] if shape == "athlete" and dice.random() < 0.2 else []
        return f"{{{shape}: {{{', '.join(asked + lasting)}}}}}"
    parts = [f"first: {_sessions(dice, words)}", f"then: {_sessions(dice, words)}"]
    parts += [f"gap: {_bound(dice, ' h')}"] if dice.random() < 0.7 else []
    parts += [f"same day: {_flag(dice)}"] if dice.random() < 0.3 else []
    parts += [f"either order: {_flag(dice)}"] if dice.random() < 0.4 else []
    return f"{{{', '.join(parts)}}}"


def _sessions(dice: random.Random, words: Sequence[str]) -> str:
    kind = dice.random()
    if kind < 0.5:
        return dice.choice([*words, *BUILTIN_WORDS])
    return _class(dice) if kind < 0.9 else f"[{_class(dice)}, {_class(dice)}]"


def _class(dice: random.Random) -> str:
    kind = dice.choice(list(_TAGS))
    parts = [f"kind: {kind}"]
    parts += [f"{tag}: {_some(dice, words)}" for tag, words in _TAGS[kind].items() if dice.random() < 0.6]
    parts += [f"duration: {_bound(dice, ' min')}"] if dice.random() < 0.3 else []
    parts += [f"key: {_flag(dice)}"] if dice.random() < 0.2 else []
    return f"{{{', '.join(parts)}}}"


def _asked(dice: random.Random, feature: Feature) -> str:
    if feature.type == "bool":
        return _flag(dice)
    return _some(dice, feature.words) if feature.type == "word" else _bound(dice, _UNITS.get(feature.unit or "", ""))


def _bound(dice: random.Random, unit: str) -> str:
    if dice.random() < 0.15:
        low, high = sorted(dice.sample(_NUMBERS, 2), key=float)
        return f"between {low} and {high}{unit}"
    return f"{dice.choice(_BOUNDS)} {dice.choice(_NUMBERS)}{unit}"


def _some(dice: random.Random, words: Sequence[str]) -> str:
    return dice.choice(words) if dice.random() < 0.5 else f"[{', '.join(dice.sample(words, min(2, len(words))))}]"


def _flag(dice: random.Random) -> str:
    return dice.choice(["true", "false"])


def _who(dice: random.Random) -> str:
    return "{" + ", ".join(f"{name}: {_some(dice, _WHO[name])}" for name in dice.sample(list(_WHO), 2)) + "}"


def _outcome(dice: random.Random, outcome: Outcome, shape: Shape) -> str:
    if outcome in ("forbid", "allow"):
        return f"{outcome}: true"
    if outcome == "require":
        if shape == "pair":
            return f"require: {{gap: at least {dice.choice(_NUMBERS)} h}}"
        name = dice.choice(features_of(shape))
        return f"require: {{{name}: {_asked(dice, FEATURES[name])}}}"
    values = OUTCOME_VALUES[outcome]
    given = [f"{name}: {_given(dice, values[name])}" for name in dice.sample(list(values), dice.randint(1, 3))]
    return f"{outcome}: {{{', '.join(given)}}}"


def _given(dice: random.Random, value: OutcomeValue) -> str:
    if value.type == "word":
        return dice.choice(value.words)
    if value.type == "text":
        return "as the dice say"
    ends = [float(end) for end in re.findall(r"-?\d+(?:\.\d+)?", value.allowed or "0 1")]
    number = dice.choice([*ends, round(dice.uniform(*ends), 2)])
    return f"{number:g}{' %' if value.unit == 'fraction' else ''}"


def _example(dice: random.Random, shape: Shape, name: str) -> str:
    who = ", ".join(f"{one}: {dice.choice(words)}" for one, words in _WHO.items())
    if shape == "pair":
        first, then = _session(dice), _session(dice)
        gap = f"gap_hours: {dice.choice(_NUMBERS)}, same_day: {_flag(dice)}"
        return f"{{name: {name}, first: {first}, then: {then}, {gap}, athlete: {{{who}}}, expect: violates}}"
    facts = [f"{one}: {_fact(dice, FEATURES[one])}" for one in dice.sample(features_of(shape), dice.randint(1, 6))]
    return f"{{name: {name}, {shape}: {{{', '.join(facts)}}}, expect: silent}}"


def _session(dice: random.Random) -> str:
    kind = dice.choice(list(_TAGS))
    tags = [f"{tag}: {dice.choice(words)}" for tag, words in _TAGS[kind].items()]
    return (
        "{" + ", ".join([f"kind: {kind}", *tags, f"duration: {dice.randint(5, 120)} min", f"key: {_flag(dice)}"]) + "}"
    )


def _fact(dice: random.Random, feature: Feature) -> str:
    if feature.type == "bool":
        return _flag(dice)
    return dice.choice(feature.words) if feature.type == "word" else dice.choice(_NUMBERS)


def guesses_mended(text: str, told: Iterator[str]) -> str:
    """``text`` with each example that a message of the loader names expecting the opposite."""
    other = {"violates": "ok", "ok": "violates", "fires": "silent", "silent": "fires"}
    for message in told:
        wrong = re.match(r"the example '(r\d+ \d+)' expects '(\w+)'", message)
        if wrong is not None:
            line = re.compile(rf"(name: {wrong[1]},.*expect: ){wrong[2]}")
            text = line.sub(rf"\g<1>{other[wrong[2]]}", text)
    return text


_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-z_]+(?: [a-z]+)?")
_PLACES = {kind: [found.span() for found in _TOKEN.finditer(text)] for kind, text in SHIPPED.items()}
_VOCABULARY = [words for tags in _TAGS.values() for words in tags.values()] + [
    *_WHO.values(), _BOUNDS, ("hard", "soft", "advice"), ("true", "false"), ("watch", "warn", "enforce"),
    *(features_of(shape) for shape in ("athlete", "season", "week")), ("h", "min", "days"),
]  # fmt: skip


def one_token_changed(dice: random.Random) -> tuple[str, str]:
    """A shipped pack's kind, and its text with one number or word become another of its sort."""
    kind = dice.choice(sorted(SHIPPED))
    text = SHIPPED[kind]
    for _ in range(50):
        start, end = dice.choice(_PLACES[kind])
        token = text[start:end]
        alike = [words for words in _VOCABULARY if token in words]
        if token[0].isdigit():
            return kind, text[:start] + dice.choice(_NUMBERS) + text[end:]
        if alike:
            return kind, text[:start] + dice.choice(dice.choice(alike)) + text[end:]
    return kind, text


def sound_override(dice: random.Random) -> tuple[str, str]:
    """A shipped pack's kind, and a tenant's pack that changes rules of it in ways that a coach may."""
    kind = dice.choice(sorted(SHIPPED))
    ids = [line.split("id: ")[1].strip() for line in SHIPPED[kind].split("\n") if line.startswith("  - id: ")]
    changes = {name: _change(dice, kind) for name in dice.sample(ids, dice.randint(1, 4)) if name != "overlap"}
    override = "".join(f"  {name}: {{{change}, because: the dice say so}}\n" for name, change in changes.items())
    return kind, f'id: acme.{kind}\nversion: "1.0.0"\nextends: base.{kind}@1\n' + (
        f"override:\n{override}" if override else ""
    )


def _change(dice: random.Random, kind: str) -> str:
    changes = ["off: true", "mode: watch", "mode: warn", f"for athletes: {_who(dice)}", "title: by the dice"]
    if kind == "sequencing":
        changes.append(f"severity: soft, penalty: {dice.randint(0, 1000)}")
    return dice.choice(changes)
