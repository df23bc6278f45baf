"""What changed between two versions of a pack, in a coach's sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.rules.evaluation.explain import PHRASE, named, shown
from shared.rules.model import Leaf, Pack, Rule, leaves


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. ``subject``: the rule's or setting's name."""

    pack: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.sentence}"

    def as_json(self) -> dict[str, str]:
        return {"pack": self.pack, "subject": self.subject, "sentence": self.sentence}


def differences(old: Pack, new: Pack) -> tuple[Difference, ...]:
    """Every change of what the pack does or says, rules first, in the new pack's order; none for the same content."""
    before = {rule.id: rule for rule in old.rules}
    after = {rule.id: rule for rule in new.rules}
    found = [Difference(new.id, name, f"gone ({rule.title})") for name, rule in before.items() if name not in after]
    for name, rule in after.items():
        if name not in before:
            found.append(Difference(new.id, name, f"new, {rule.severity}: {rule.title}"))
        else:
            found += [Difference(new.id, name, sentence) for sentence in sentences_about(before[name], rule)]
    for name in sorted({*old.settings, *new.settings}):
        was, now = old.settings.get(name), new.settings.get(name)
        if was is None and now is not None:
            found.append(Difference(new.id, name, f"new setting: {_shown(now.value)}"))
        elif now is None:
            found.append(Difference(new.id, name, "setting gone"))
        elif was is not None and was.value != now.value:
            found += [Difference(new.id, name, sentence) for sentence in _values("", was.value, now.value, now.unit)]
    return tuple(found)


def sentences_about(old: Rule, new: Rule) -> Iterator[str]:
    """What changed between two versions of one rule."""
    if old.severity != new.severity:
        yield f"{old.severity} becomes {new.severity}"
    if old.mode != new.mode:
        yield f"mode {old.mode} becomes {new.mode}"
    if old.penalty != new.penalty:
        yield f"penalty {old.penalty:g} becomes {new.penalty:g}"
    limits = list(_limits(old, new))
    yield from limits
    if old.outcome != new.outcome:
        yield f"'{old.outcome}' becomes '{new.outcome}'"
    elif old.outcome != "require":
        yield from _values("", dict(old.values), dict(new.values), None)
    if old.when != new.when and not limits:
        yield from _when(old, new)
    if old.locked != new.locked:
        yield "locked now" if new.locked else "no longer locked"


def _when(old: Rule, new: Rule) -> Iterator[str]:
    """The comparisons that come and go; the same ones may also be joined in another way."""
    was, now = (dict.fromkeys(_compared(leaf) for leaf in dict.fromkeys(leaves(rule.when))) for rule in (old, new))
    gone = [told for told in was if told not in now]
    come = [told for told in now if told not in was]
    if gone:
        yield f"no longer looks at: {', '.join(gone)}"
    if come:
        yield f"looks at: {', '.join(come)}"
    if not gone and not come:
        yield "when it applies changes: its parts are joined in another way"


def _compared(leaf: Leaf) -> str:
    lasting = f" for {leaf.lasting_days} days" if leaf.lasting_days else ""
    phrase = f"{PHRASE[leaf.op]} {shown(leaf.feature, leaf.value)}".strip()
    return f"{named(leaf.feature)} {phrase}{lasting}"


def _limits(old: Rule, new: Rule) -> Iterator[str]:
    for name in dict.fromkeys([*old.limit, *new.limit]):
        was, now = old.limit.get(name), new.limit.get(name)
        if was != now:
            feature = f"first_{name}" if name == "duration_min" else name
            yield f"{named(name)}: {_limit(feature, was)} becomes {_limit(feature, now)}"


def _limit(feature: str, value: float | None) -> str:
    return "no limit" if value is None else shown(feature, value)


def _values(name: str, old: Any, new: Any, unit: str | None) -> Iterator[str]:
    """Tables are compared name by name, so that a sentence tells the one number that changed."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) != new.get(key):
                yield from _values(f"{name}.{key}" if name else key, old.get(key), new.get(key), unit)
        return
    yield f"{name + ': ' if name else ''}{_shown(old)}{_suffix(unit, old)} becomes {_shown(new)}{_suffix(unit, new)}"


def _suffix(unit: str | None, value: Any) -> str:
    """The unit; of exactly one day, week or point without its "s"."""
    if not unit or value is None:
        return ""
    return f" {unit.removesuffix('s') if value == 1 and unit in ('days', 'weeks', 'points') else unit}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    return str(value)
