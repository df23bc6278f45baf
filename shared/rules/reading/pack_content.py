"""One pack's tree to the typed model: words, settings, rules. Reports everything, invents nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.contract.words import PackKind
from shared.located_yaml.nodes import MapNode, Node, ScalarNode
from shared.rules.caching import IdentityCache
from shared.rules.errors import Mistakes
from shared.rules.model import Rule, Setting
from shared.rules.reading.rule_reader import RuleReader
from shared.rules.reading.session_classes import MAX_WORDS, TooManyClasses, Words
from shared.rules.reading.settings import read_settings
from shared.rules.reading.tree_reader import Reader

MAX_RULES = 200


@dataclass(frozen=True, slots=True)
class Content:
    """A pack's rules and settings."""

    rules: tuple[Rule, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)


_rules_read: IdentityCache[Rule] = IdentityCache(400)
"""Rules without mistakes by their text's tree, the words they may use and the pack's kind.

A tenant's pack holds the very trees of the base rules that it leaves alone, and so the very same rules.
"""


def read_content(node: MapNode, kind: PackKind, mistakes: Mistakes) -> Content:
    """Words, settings and rules of a resolved pack. Mistakes are collected; the caller refuses the pack."""
    try:
        return _content(node, kind, mistakes)
    except TooManyClasses:
        return Content(())
    finally:
        mistakes.rule = None


def _content(node: MapNode, kind: PackKind, mistakes: Mistakes) -> Content:
    reader = Reader(mistakes)
    fields = {name.text: value for name, value in node.pairs}
    declared_node = fields.get("words")
    declared = {} if declared_node is None else reader.table(declared_node, "'words'")
    if len(declared) > MAX_WORDS:
        mistakes.add(fields["words"].at, f"{len(declared)} words; a pack has at most {MAX_WORDS}")
        return Content(())
    words = Words(reader, declared)
    words.check_all()
    settings = read_settings(reader, fields["settings"]) if "settings" in fields else {}
    if "rules" not in fields and "settings" not in fields:
        mistakes.add(node.at, "the pack has neither 'rules' nor 'settings'")
    items = reader.items(fields["rules"], "'rules'") if "rules" in fields else ()
    if len(items) > MAX_RULES:
        mistakes.add(fields["rules"].at, f"{len(items)} rules; a pack has at most {MAX_RULES}")
        return Content(())
    items = _stray_dashes_removed(items, mistakes)
    rule_reader = RuleReader(reader, words, kind)
    rules: list[Rule] = []
    seen: dict[str, Node] = {}
    for item in items:
        mistakes.rule = _id_of(item)
        if mistakes.rule is not None and mistakes.rule in seen:
            first = seen[mistakes.rule].at
            mistakes.add(item.at, f"a second rule '{mistakes.rule}'; the first is at {first.file}:{first.line}")
        else:
            rule = _rules_read.get(item, declared_node, kind)
            if rule is None:
                rule = rule_reader.read(item)
                if rule is not None and not len(mistakes):
                    _rules_read.put(rule, item, declared_node, kind)
            rules += [] if rule is None else [rule]
        if mistakes.rule is not None:
            seen.setdefault(mistakes.rule, item)
        mistakes.rule = None
    return Content(tuple(rules), settings)


def _stray_dashes_removed(items: tuple[Node, ...], mistakes: Mistakes) -> tuple[Node, ...]:
    """An item without a name whose lines the one above lacks is the rest of that rule behind a '-' too many."""
    found: list[Node] = []
    for item in items:
        above = found[-1] if found else None
        if (
            isinstance(item, MapNode)
            and isinstance(above, MapNode)
            and item.pairs
            and item.get("id") is None
            and not set(item.keys()) & set(above.keys())
        ):
            mistakes.rule = _id_of(above)
            mistakes.add(item.at, "this '-' begins another rule; take it away, the line belongs to the rule above")
            mistakes.rule = None
            found[-1] = MapNode(above.pairs + item.pairs, above.at, above.braces)
        else:
            found.append(item)
    return tuple(found)


def _id_of(node: Node) -> str | None:
    name = node.get("id") if isinstance(node, MapNode) else None
    return name.text if isinstance(name, ScalarNode) and name.value is not None else None
