"""Classes of sessions: the named words of a pack and the classes written out in a rule."""

from collections.abc import Mapping
from typing import Literal

from shared.contract.sessions import KINDS, KINDS_OF_TAG, SESSION_TAGS, TAGS
from shared.located_yaml.nodes import ListNode, MapNode, Node, described
from shared.rules.amounts import comparisons
from shared.rules.model import All, Amount, AnyOf, Condition, Leaf
from shared.rules.reading.tree_reader import Reader
from shared.rules.vocabulary import BUILTIN_WORDS

Which = Literal["first", "then"]
CLASS_FIELDS = ("kind", *TAGS, "duration", "key", "any")
MAX_WORDS = 200
MAX_CLASSES = 10_000
"""Words and classes looked up while one pack is read: a word of words of words multiplies."""
MAX_NESTED = 40
"""Words and classes inside one another."""


class TooManyClasses(Exception):
    """Reading on would take for ever; the mistake is told."""


class Words:
    """The words that a pack knows, and how a class of sessions becomes comparisons on the first or second session."""

    def __init__(self, reader: Reader, declared: Mapping[str, Node]) -> None:
        self._reader = reader
        self._declared = declared
        self._looked_up = 0
        self._nested = 0

    def names(self) -> tuple[str, ...]:
        return (*BUILTIN_WORDS, *self._declared)

    def check_all(self) -> None:
        """Report what is wrong in words that no rule uses, too."""
        for name, node in self._declared.items():
            if name in BUILTIN_WORDS:
                self._reader.mistakes.add(node.at, f"'{name}' is a word of the dialect; choose another name")
            else:
                self.condition(node, "first", (name,))

    def condition(self, node: Node, which: Which, inside: tuple[str, ...] = ()) -> Condition | None:
        """A word, a class written out, or a list of them, about the ``first`` or the ``then`` session."""
        self._looked_up += 1
        self._nested += 1
        try:
            if self._looked_up > MAX_CLASSES or self._nested > MAX_NESTED:
                how = f"more than {MAX_CLASSES} in all" if self._looked_up > MAX_CLASSES else f"{self._nested} deep"
                message = f"words and classes explained by further ones, {how}; explain them more simply"
                self._reader.mistakes.add(node.at, message)
                raise TooManyClasses
            return self._condition(node, which, inside)
        finally:
            self._nested -= 1

    def _condition(self, node: Node, which: Which, inside: tuple[str, ...]) -> Condition | None:
        if isinstance(node, ListNode):
            return self._any_of(node, which, inside)
        if isinstance(node, MapNode):
            return self._class(node, which, inside)
        if node.value is None or not isinstance(node.value, str):
            self._reader.mistakes.add(node.at, f"a word or a class of sessions is expected, not {described(node)}")
            return None
        name = node.text
        if name in BUILTIN_WORDS:
            kind = BUILTIN_WORDS[name]
            return All(()) if kind is None else Leaf(f"{which}_kind", "==", kind)
        declared = self._declared.get(name)
        if declared is None:
            mistakes = self._reader.mistakes
            mistakes.add(node.at, f"no such word '{name}'{mistakes.nearest(name, self.names())}")
            return None
        if name in inside:
            self._reader.mistakes.add(node.at, f"the word '{name}' is explained by itself")
            return None
        return self.condition(declared, which, (*inside, name))

    def _any_of(self, node: Node, which: Which, inside: tuple[str, ...]) -> Condition | None:
        items = self._reader.items(node, "'any'")
        if isinstance(node, ListNode) and not items:
            self._reader.mistakes.add(node.at, "an empty list fits no session; name at least one class")
        found = [self.condition(item, which, inside) for item in items]
        if not found or None in found:
            return None
        return AnyOf(tuple(condition for condition in found if condition is not None))

    def _class(self, node: MapNode, which: Which, inside: tuple[str, ...]) -> Condition | None:
        reader = self._reader
        before = len(reader.mistakes)
        fields = reader.table(node, "a class of sessions", CLASS_FIELDS)
        if not fields:
            if len(reader.mistakes) == before:
                reader.mistakes.add(node.at, "an empty class; use 'any session' for every session")
            return None
        parts: list[Condition | None] = []
        kinds = self._kinds(fields)
        if kinds is None and "kind" in fields:
            return None
        for tag, owners in KINDS_OF_TAG.items():
            if tag not in fields:
                continue
            fitting = owners if kinds is None else tuple(kind for kind in kinds if kind in owners)
            if not fitting or ("kind" in fields and fitting != kinds):
                told = f"'{tag}' belongs to kind {' or '.join(owners)}, not to {' or '.join(kinds or ())}"
                reader.mistakes.add(fields[tag].at, told)
                return None
            kinds = fitting
        if kinds is not None:
            parts.append(_equals(f"{which}_kind", kinds))
        for tag in TAGS:
            if tag in fields:
                words = reader.words(fields[tag], f"'{tag}'", SESSION_TAGS[tag].words)
                parts.append(None if words is None else _equals(f"{which}_{tag}", words))
        if "duration" in fields:
            parts.append(self._duration(fields["duration"], which))
        if "key" in fields:
            key = reader.flag(fields["key"], "'key'")
            parts.append(None if key is None else Leaf(f"{which}_key", "==", key))
        if "any" in fields:
            parts.append(self._any_of(fields["any"], which, inside))
        if None in parts:
            return None
        return All(tuple(part for part in parts if part is not None))

    def _kinds(self, fields: Mapping[str, Node]) -> tuple[str, ...] | None:
        if "kind" not in fields:
            return None
        return self._reader.words(fields["kind"], "'kind'", KINDS)

    def _duration(self, node: Node, which: Which) -> Condition | None:
        amount = self._reader.amount(node, "'duration'", "min", unit_required=True)
        return None if amount is None else bounds(f"{which}_duration_min", amount)


def bounds(feature: str, amount: Amount, lasting_days: int | None = None) -> Condition:
    leaves = tuple(Leaf(feature, op, bound, lasting_days) for op, bound in comparisons(amount))
    return leaves[0] if len(leaves) == 1 else All(leaves)


def _equals(feature: str, words: tuple[str, ...]) -> Condition:
    leaves = tuple(Leaf(feature, "==", word) for word in words)
    return leaves[0] if len(leaves) == 1 else AnyOf(leaves)
