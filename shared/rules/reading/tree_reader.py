"""Reads tables, words, texts and flags from a rule file's tree; every slip becomes one message at its place."""

import re
from collections.abc import Iterable

from shared.located_yaml.nodes import ListNode, MapNode, Node, ScalarNode, described, given_twice
from shared.located_yaml.scalars import resolved
from shared.rules.amounts import NotAnAmount, decimal_comma, in_unit, parse_amount
from shared.rules.errors import Mistakes, one_of
from shared.rules.model import Amount

EVIDENCE = ("strong", "moderate", "weak", "practice")
"""How strong the evidence of a source is."""

_GLUED = re.compile(r"([A-Za-z][\w ]*):(\S.*)")
_DECIMALS = re.compile(r"\d{1,12}(?:\s*[A-Za-z/%]+)?")
_ENDS_IN_DIGIT = re.compile(r"\d$")
_FLAGS = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}


class Reader:
    """The checks that every part of a pack needs. ``None`` means: already reported."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes

    def table(self, node: Node, what: str, names: Iterable[str] | None = None) -> dict[str, Node]:
        """Name -> node; unknown and doubled names are reported and left out. ``names`` None: any name will do."""
        if not isinstance(node, MapNode):
            self.mistakes.add(node.at, f"{what} is a table of 'name: value', not {described(node)}")
            return {}
        known = None if names is None else tuple(names)
        found: dict[str, Node] = {}
        firsts: dict[str, ScalarNode] = {}
        before = None
        for name, value in node.pairs:
            if (
                node.braces
                and isinstance(value, ScalarNode)
                and value.omitted
                and (known is None or name.text not in known)
            ):
                mended = self._stands_alone(name, None if before is None else found.get(before))
                if mended is not None:
                    found[mended[0] or before or ""] = mended[1]
                continue
            before = name.text
            first = firsts.setdefault(name.text, name)
            if known is not None and name.text not in known:
                self.mistakes.add(name.at, f"{what} has no '{name.text}'{self.mistakes.nearest(name.text, known)}")
            elif name.text in found:
                self.mistakes.add(name.at, given_twice(name, first))
            else:
                found[name.text] = value
        return found

    def _stands_alone(self, name: ScalarNode, value_before: Node | None) -> tuple[str | None, Node] | None:
        """Says what a lone text in braces means. Returns what was meant, so that nothing else is said about it: a
        name with its value, or (no name) the value before with its decimals."""
        glued = _GLUED.fullmatch(name.text)
        if glued is not None:
            self.mistakes.add(name.at, f"a space is missing after ':'; write '{glued[1]}: {glued[2]}'")
            return glued[1], ScalarNode(resolved(glued[2]), glued[2], name.at)
        whole = f"{value_before.text}.{name.text}" if isinstance(value_before, ScalarNode) else ""
        if _DECIMALS.fullmatch(name.text) and _ENDS_IN_DIGIT.search(whole[: -len(name.text) - 1]):
            self.mistakes.add(name.at, f"a comma ends the value before it; decimals have a point: '{whole}'")
            return None, ScalarNode(resolved(whole), whole, name.at)
        self.mistakes.add(
            name.at,
            f"'{name.text}' stands alone: inside braces a comma ends the value before it; "
            "put quotes around a text that holds a comma",
        )
        return None

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        if isinstance(node, ListNode):
            return node.items
        self.mistakes.add(node.at, f"{what} is a list (lines that begin with '- '), not {described(node)}")
        return ()

    def text(self, node: Node, what: str, longest: int = 500) -> str | None:
        if not isinstance(node, ScalarNode) or node.value is None:
            self.mistakes.add(node.at, f"{what} is a text, not {described(node)}")
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
        meant = _FLAGS.get(node.text.lower()) if isinstance(node, ScalarNode) else None
        hint = f"; write {meant}" if meant else ""
        self.mistakes.add(node.at, f"{what} is true or false, not {described(node)}{hint}")
        return None

    def number(self, node: Node, what: str) -> float | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, float):
            return node.value
        comma = decimal_comma(node.text) if isinstance(node, ScalarNode) else None
        hint = f"; decimals have a point: {comma}" if comma else ""
        self.mistakes.add(node.at, f"{what} is a number, not {described(node)}{hint}")
        return None

    def word(self, node: Node, what: str, choices: Iterable[str]) -> str | None:
        known = tuple(choices)
        if isinstance(node, ScalarNode) and node.text in known:
            return node.text
        if isinstance(node, ScalarNode) and node.value is not None:
            hint = self.mistakes.nearest(node.text, known) or f"; use {one_of(known)}"
            self.mistakes.add(node.at, f"{what} cannot be '{node.text}'{hint}")
        else:
            self.mistakes.add(node.at, f"{what} is {one_of(known)}, not {described(node)}")
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
        curly = "; use straight quotes" if set(text) & set("“”„’‘") else ""
        self.mistakes.add(node.at, f"{what} cannot be '{text}'; write {form}{curly}")
        return None

    def amount(self, node: Node, what: str, unit: str | None, unit_required: bool = False) -> Amount | None:
        """The amount that stands there, in ``unit``; anything else is reported."""
        if not isinstance(node, ScalarNode) or node.value is None or isinstance(node.value, bool):
            self.mistakes.add(node.at, f"{what} is an amount, like 'at most 20 min', not {described(node)}")
            return None
        try:
            return in_unit(parse_amount(node.text), unit, unit_required)
        except NotAnAmount as problem:
            self.mistakes.add(node.at, f"{what}: {problem}")
            return None

    def source(self, node: Node) -> str | None:
        """Where a rule or a number comes from, as ``ref (strength)``; a plain text stands for the ref alone."""
        if isinstance(node, ScalarNode):
            return self.text(node, "'source'")
        fields = self.table(node, "'source'", ("ref", "strength"))
        ref = self.text(fields["ref"], "'ref'") if "ref" in fields else None
        if "ref" not in fields:
            self.mistakes.add(node.at, "'source' has no 'ref'; name the document or paper")
        strength = self.word(fields["strength"], "'strength'", EVIDENCE) if "strength" in fields else None
        return ref if strength is None else f"{ref} ({strength})"
