"""``when``, ``unless`` and ``for athletes`` of a rule, as a tree of comparisons."""

from dataclasses import dataclass
from typing import get_args

from shared.contract.words import DayStrategy, Level, Phase, Priority
from shared.located_yaml.nodes import ListNode, MapNode, Node, ScalarNode
from shared.rules.model import All, AnyOf, Condition, Leaf, Not, Shape
from shared.rules.reading.session_classes import Words, bounds
from shared.rules.reading.tree_reader import Reader
from shared.rules.vocabulary import FEATURES, features_of

PAIR_FIELDS = ("first", "then", "gap", "same day", "either order")
SHAPE_FIELDS: tuple[Shape, ...] = ("week", "athlete", "season")
JOINS = ("any", "all", "not")
WHEN_FIELDS = (*PAIR_FIELDS, *SHAPE_FIELDS, *JOINS)
ATHLETE_FIELDS = {
    "priority": get_args(Priority),
    "level": get_args(Level),
    "phase": get_args(Phase),
    "day_strategy": get_args(DayStrategy),
}


@dataclass(frozen=True, slots=True)
class Shaped:
    """A condition and what it is about; ``shape`` None: about the athlete only, fits every shape."""

    condition: Condition
    shape: Shape | None


def both(*conditions: Condition) -> Condition:
    """All of them, flattened, so that evaluators and explanations see no needless nesting."""
    parts: list[Condition] = []
    for condition in conditions:
        parts.extend(condition.of if isinstance(condition, All) else (condition,))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


class Conditions:
    """Reads conditions with a pack's words."""

    def __init__(self, reader: Reader, words: Words) -> None:
        self._reader = reader
        self._words = words

    def when(self, node: Node, partial: bool = False) -> Shaped | None:
        """``partial``: an ``unless``, where a pair may leave out either session and ``for athletes`` may stand."""
        names = (*WHEN_FIELDS, "for athletes") if partial else WHEN_FIELDS
        before = len(self._reader.mistakes)
        fields = self._reader.table(node, "'unless'" if partial else "'when'", names)
        if len(self._reader.mistakes) > before:
            # Go on into what could be read, so that every mistake of the rule is told at once.
            self._parts(node, fields, partial)
            return None
        if not fields:
            self._reader.mistakes.add(node.at, "an empty condition; say when the rule applies")
            return None
        return self._parts(node, fields, partial)

    def _parts(self, node: Node, fields: dict[str, Node], partial: bool) -> Shaped | None:
        parts: list[Shaped | None] = []
        if any(name in fields for name in PAIR_FIELDS):
            parts.append(self._pair(node, fields, partial))
        for shape in SHAPE_FIELDS:
            if shape in fields:
                condition = self.features(fields[shape], shape)
                parts.append(None if condition is None else Shaped(condition, shape))
        for join in JOINS:
            if join in fields:
                parts.append(self._join(join, fields[join], partial))
        if "for athletes" in fields:
            athletes = self.athletes(fields["for athletes"])
            parts.append(None if athletes is None else Shaped(athletes, None))
        return self._joined(node, parts, any_of=False)

    def _join(self, join: str, node: Node, partial: bool) -> Shaped | None:
        if join == "not":
            inner = self.when(node, partial)
            return None if inner is None else Shaped(Not(inner.condition), inner.shape)
        items = self._reader.items(node, f"'{join}'")
        if isinstance(node, ListNode) and not items:
            self._reader.mistakes.add(node.at, f"'{join}' is empty; give at least one condition")
        parts = [self.when(item, partial) for item in items]
        return self._joined(node, parts, any_of=join == "any")

    def _joined(self, node: Node, parts: list[Shaped | None], any_of: bool) -> Shaped | None:
        known = [part for part in parts if part is not None]
        if not parts or len(known) < len(parts):
            return None
        shapes = {part.shape for part in known if part.shape is not None}
        if len(shapes) > 1:
            self._reader.mistakes.add(
                node.at, f"a condition is about one thing; this one mixes {' and '.join(sorted(shapes))}"
            )
            return None
        conditions = tuple(part.condition for part in known)
        joined = AnyOf(conditions) if any_of and len(conditions) > 1 else both(*conditions)
        return Shaped(joined, next(iter(shapes), None))

    def _pair(self, node: Node, fields: dict[str, Node], partial: bool) -> Shaped | None:
        reader = self._reader
        parts: list[Condition | None] = []
        if not partial:
            for which in ("first", "then"):
                if which not in fields:
                    reader.mistakes.add(node.at, f"'{which}' is missing: which session is the {which} one?")
                    parts.append(None)
        first, then = fields.get("first"), fields.get("then")
        either = reader.flag(fields["either order"], "'either order'") if "either order" in fields else False
        classes = self._classes(first, then)
        swapped = self._classes(then, first) if either else None
        if either is None or classes is None or (either and swapped is None):
            parts.append(None)
        else:
            parts.append(classes if swapped is None else AnyOf((classes, swapped)))
        if "gap" in fields:
            amount = reader.amount(fields["gap"], "'gap'", "h", unit_required=True)
            parts.append(None if amount is None else bounds("gap_hours", amount))
        if "same day" in fields:
            flag = reader.flag(fields["same day"], "'same day'")
            parts.append(None if flag is None else Leaf("same_day", "==", flag))
        known = [part for part in parts if part is not None]
        return Shaped(both(*known), "pair") if len(known) == len(parts) else None

    def _classes(self, first: Node | None, then: Node | None) -> Condition | None:
        earlier = All(()) if first is None else self._words.condition(first, "first")
        later = All(()) if then is None else self._words.condition(then, "then")
        return None if earlier is None or later is None else both(earlier, later)

    def athletes(self, node: Node) -> Condition | None:
        """``for athletes``: which priority, level, phase or day strategy the rule is for."""
        before = len(self._reader.mistakes)
        fields = self._reader.table(node, "'for athletes'", ATHLETE_FIELDS)
        parts: list[Condition] = []
        for name, value in fields.items():
            words = self._reader.words(value, f"'{name}'", ATHLETE_FIELDS[name])
            if words is not None:
                leaves = tuple(Leaf(name, "==", word) for word in words)
                parts.append(leaves[0] if len(leaves) == 1 else AnyOf(leaves))
        if len(self._reader.mistakes) > before:
            return None
        if not parts:
            self._reader.mistakes.add(node.at, "'for athletes' is empty; leave it out when the rule is for everybody")
            return None
        return both(*parts)

    def features(self, node: Node, shape: Shape) -> Condition | None:
        """``{feature: amount or word, ..., for: at least 3 days}`` about a week, an athlete's day or a season."""
        before = len(self._reader.mistakes)
        fields = self._reader.table(node, f"'{shape}'")
        lasting = None
        if "for" in fields:
            lasting = self._lasting(fields["for"], shape)
        names = name_nodes(node)
        parts = [
            self.feature(name, value, names.get(name, node), shape, lasting)
            for name, value in fields.items()
            if name != "for"
        ]
        if len(self._reader.mistakes) > before:
            return None
        if not parts:
            self._reader.mistakes.add(node.at, f"'{shape}' asks for nothing; name a feature, like {_some(shape)}")
            return None
        return both(*(part for part in parts if part is not None))

    def _lasting(self, node: Node, shape: Shape) -> int | None:
        if shape != "athlete":
            self._reader.mistakes.add(node.at, "'for' counts days and stands in 'athlete' conditions only")
            return None
        amount = self._reader.amount(node, "'for'", "days", unit_required=True)
        if amount is None:
            return None
        if amount.low is None or amount.low != int(amount.low) or not 1 <= amount.low <= 60 or not amount.low_inclusive:
            self._reader.mistakes.add(node.at, "'for' is a whole number of days from 1 to 60, like 'at least 3 days'")
            return None
        return int(amount.low)

    def feature(self, name: str, node: Node, at: Node, shape: Shape, lasting: int | None = None) -> Condition | None:
        """One feature's comparison; ``at``: where its name stands."""
        feature = FEATURES.get(name)
        if feature is None or shape not in feature.shapes:
            known = features_of(shape)
            where = "" if feature is None else f" in '{shape}' (it belongs to {', '.join(sorted(feature.shapes))})"
            mistakes = self._reader.mistakes
            mistakes.add(at.at, f"no feature '{name}'{where}{mistakes.nearest(name, known)}")
            return None
        if isinstance(node, ListNode):
            if not node.items:
                self._reader.mistakes.add(node.at, f"'{name}' is compared with an empty list")
            found = [self.feature(name, item, at, shape, lasting) for item in node.items]
            known_parts = tuple(part for part in found if part is not None)
            if len(known_parts) < len(found) or not known_parts:
                return None
            return known_parts[0] if len(known_parts) == 1 else AnyOf(known_parts)
        if feature.type == "bool":
            flag = self._reader.flag(node, f"'{name}'")
            return None if flag is None else Leaf(name, "==", flag, lasting)
        if feature.type == "word":
            word = self._reader.word(node, f"'{name}'", feature.words)
            return None if word is None else Leaf(name, "==", word, lasting)
        if isinstance(node, ScalarNode) and isinstance(node.value, float):
            return Leaf(name, "==", node.value, lasting)
        amount = self._reader.amount(node, f"'{name}'", feature.unit)
        return None if amount is None else bounds(name, amount, lasting)


def name_nodes(node: Node) -> dict[str, ScalarNode]:
    """Where each name of a table stands."""
    return {key.text: key for key, _ in reversed(node.pairs)} if isinstance(node, MapNode) else {}


def _some(shape: Shape) -> str:
    return ", ".join(features_of(shape)[:3])


__all__ = ["ATHLETE_FIELDS", "PAIR_FIELDS", "WHEN_FIELDS", "Conditions", "Shaped", "both", "name_nodes"]
