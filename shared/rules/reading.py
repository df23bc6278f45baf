"""Reads tables, words, texts and flags from a rule file's tree; every slip becomes one message at its place."""

import re
from collections.abc import Iterable

from shared.rules.errors import Mistakes, did_you_mean, one_of
from shared.rules.nodes import ListNode, MapNode, Node, ScalarNode, told


class Reader:
    """The checks that every part of a pack needs. ``None`` means: already reported."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes

    def table(self, node: Node, what: str, names: Iterable[str] | None = None) -> dict[str, Node]:
        """Name -> node; unknown and doubled names are reported and left out. ``names`` None: any name will do."""
        if not isinstance(node, MapNode):
            self.mistakes.add(node.at, f"{what} is a table of 'name: value', not {told(node)}")
            return {}
        known = None if names is None else tuple(names)
        found: dict[str, Node] = {}
        for name, value in node.pairs:
            if (
                node.braces
                and isinstance(value, ScalarNode)
                and value.omitted
                and (known is None or name.text not in known)
            ):
                self.mistakes.add(
                    name.at,
                    f"'{name.text}' stands alone: inside braces a comma ends the value before it; "
                    "put quotes around a text that holds a comma",
                )
            elif known is not None and name.text not in known:
                self.mistakes.add(name.at, f"{what} has no '{name.text}'{did_you_mean(name.text, known)}")
            elif name.text in found:
                self.mistakes.add(name.at, f"'{name.text}' stands here twice; keep one")
            else:
                found[name.text] = value
        return found

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        if isinstance(node, ListNode):
            return node.items
        self.mistakes.add(node.at, f"{what} is a list (lines that begin with '- '), not {told(node)}")
        return ()

    def text(self, node: Node, what: str, longest: int = 500) -> str | None:
        if not isinstance(node, ScalarNode) or node.value is None:
            self.mistakes.add(node.at, f"{what} is a text, not {told(node)}")
            return None
        text = node.text.strip()
        if not text:
            self.mistakes.add(node.at, f"{what} is empty")
            return None
        if len(text) > longest:
            self.mistakes.add(node.at, f"{what} is {len(text)} characters long; at most {longest}")
            return None
        return text

    def flag(self, node: Node, what: str) -> bool | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        self.mistakes.add(node.at, f"{what} is true or false, not {told(node)}")
        return None

    def number(self, node: Node, what: str) -> float | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, float):
            return node.value
        self.mistakes.add(node.at, f"{what} is a number, not {told(node)}")
        return None

    def word(self, node: Node, what: str, choices: Iterable[str]) -> str | None:
        known = tuple(choices)
        if isinstance(node, ScalarNode) and node.text in known:
            return node.text
        if isinstance(node, ScalarNode) and node.value is not None:
            hint = did_you_mean(node.text, known) or f"; use {one_of(known)}"
            self.mistakes.add(node.at, f"{what} cannot be '{node.text}'{hint}")
        else:
            self.mistakes.add(node.at, f"{what} is {one_of(known)}, not {told(node)}")
        return None

    def words(self, node: Node, what: str, choices: Iterable[str]) -> tuple[str, ...] | None:
        """One word or a list of them."""
        known = tuple(choices)
        if not isinstance(node, ListNode):
            one = self.word(node, what, known)
            return None if one is None else (one,)
        if not node.items:
            self.mistakes.add(node.at, f"{what} is an empty list; name at least one of {one_of(known)}")
            return None
        found = [self.word(item, what, known) for item in node.items]
        return None if None in found else tuple(word for word in found if word is not None)

    def matched(self, node: Node | None, what: str, pattern: re.Pattern[str], form: str) -> str | None:
        """A text of a certain form; ``form`` says in words what to write."""
        text = None if node is None else self.text(node, what)
        if node is None or text is None or pattern.fullmatch(text):
            return text
        self.mistakes.add(node.at, f"{what} cannot be '{text}'; write {form}")
        return None
