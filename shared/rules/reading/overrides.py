"""A tenant's pack over the base pack it extends: merged field by field as trees, so that every place is kept."""

from collections.abc import Mapping, Sequence

from shared.located_yaml.nodes import ListNode, MapNode, Node, ScalarNode
from shared.rules.errors import Mistakes
from shared.rules.reading.outcomes import OUTCOMES
from shared.rules.reading.rule_reader import RULE_FIELDS
from shared.rules.reading.settings import SETTING_FIELDS
from shared.rules.reading.tree_reader import Reader

OVERRIDE_FIELDS = tuple(name for name in RULE_FIELDS if name not in ("id", "locked")) + ("off",)
SAFE_ON_LOCKED = ("title", "because", "source", "examples")
"""What may be changed of a locked rule: how it is told, never what it does."""


def merged(base: MapNode, tenant: MapNode, mistakes: Mistakes) -> MapNode:
    """The base's content with the tenant's words, settings, overrides and own rules; the header is the tenant's."""
    reader = Reader(mistakes)
    pairs: dict[str, tuple[ScalarNode, Node]] = {}
    for name, node in base.pairs:
        if name.text in ("words", "settings", "rules"):
            pairs[name.text] = (name, node)
    for name, node in tenant.pairs:
        if name.text == "words":
            pairs[name.text] = name, _laid_over(pairs, name, node)
        elif name.text == "settings":
            _check_settings_exist(pairs, node, reader)
            pairs[name.text] = name, _laid_over(pairs, name, node)
        elif name.text not in ("rules", "override", "extends"):
            pairs[name.text] = (name, node)
    rules = _rules(pairs, tenant, reader)
    pairs["rules"] = ScalarNode("rules", "rules", tenant.at), rules
    return MapNode(tuple(pairs.values()), tenant.at)


def _laid_over(pairs: Mapping[str, tuple[ScalarNode, Node]], name: ScalarNode, node: Node) -> Node:
    below = pairs.get(name.text)
    return node if below is None else laid_over(below[1], node)


def laid_over(below: Node, above: Node) -> Node:
    """Tables are merged name by name, anything else is replaced. ``above`` keeps its doubled names to be reported."""
    if not isinstance(below, MapNode) or not isinstance(above, MapNode):
        return above
    replaced = {name.text for name, _ in above.pairs}
    kept = tuple(pair for pair in below.pairs if pair[0].text not in replaced)
    old = {name.text: node for name, node in below.pairs}
    new = tuple((name, laid_over(old[name.text], node) if name.text in old else node) for name, node in above.pairs)
    return MapNode(kept + new, above.at, above.braces)


def _check_settings_exist(pairs: Mapping[str, tuple[ScalarNode, Node]], node: Node, reader: Reader) -> None:
    """A setting that the base does not have changes nothing; that is a slip, not a wish."""
    below = pairs["settings"][1] if "settings" in pairs else None
    known = [name.text for name, _ in below.pairs] if isinstance(below, MapNode) else []
    for name, value in node.pairs if isinstance(node, MapNode) else ():
        if name.text not in known:
            near = reader.mistakes.nearest(name.text, known)
            reader.mistakes.add(name.at, f"the base has no setting '{name.text}'{near}")
        elif isinstance(value, MapNode) and value.get("allowed") is not None:
            reader.mistakes.add(value.at, f"what is allowed for '{name.text}' is the base's to say")
        elif isinstance(value, MapNode):
            reader.table(value, f"the setting '{name.text}'", SETTING_FIELDS)


def _rules(pairs: Mapping[str, tuple[ScalarNode, Node]], tenant: MapNode, reader: Reader) -> ListNode:
    below = pairs["rules"][1] if "rules" in pairs else None
    base_rules = below.items if isinstance(below, ListNode) else ()
    by_id = {_id(rule): rule for rule in base_rules if _id(rule)}
    override = tenant.get("override")
    changes = reader.table(override, "'override'") if override is not None else {}
    result: list[Node] = []
    for rule in base_rules:
        change = changes.get(_id(rule))
        changed = rule if change is None else _changed(rule, change, _id(rule), reader)
        if changed is not None:
            result.append(changed)
    for name, _ in override.pairs if isinstance(override, MapNode) else ():
        if name.text in changes and name.text not in by_id:
            near = reader.mistakes.nearest(name.text, by_id)
            reader.mistakes.add(name.at, f"the base has no rule '{name.text}' to override{near}")
    own = tenant.get("rules")
    for rule in reader.items(own, "'rules'") if own is not None else ():
        if _id(rule) in by_id:
            reader.mistakes.add(rule.at, f"the base has a rule '{_id(rule)}' already; change it under 'override'")
        else:
            result.append(rule)
    return ListNode(tuple(result), tenant.at)


def _changed(rule: Node, change: Node, rule_id: str, reader: Reader) -> Node | None:
    """The rule with the override's fields; None when it is switched off."""
    reader.mistakes.rule = rule_id
    try:
        fields = reader.table(change, "an override", OVERRIDE_FIELDS)
        if isinstance(change, MapNode) and not change.pairs:
            reader.mistakes.add(change.at, "the override changes nothing; say what shall differ, and because of what")
        if not isinstance(change, MapNode) or not isinstance(rule, MapNode) or not fields:
            return rule
        if "because" not in fields:
            reader.mistakes.add(change.at, "an override says why: add 'because'")
        if _is_locked(rule):
            loosened = [name for name in fields if name not in SAFE_ON_LOCKED]
            for name in loosened:
                at = next(key.at for key, _ in change.pairs if key.text == name)
                reader.mistakes.add(at, f"the rule is locked: '{name}' cannot be changed")
            return rule if loosened else _over(rule, change)
        if "off" in fields:
            off = reader.flag(fields["off"], "'off'")
            return None if off else _over(rule, change)
        return _over(rule, change)
    finally:
        reader.mistakes.rule = None


def _over(rule: MapNode, change: MapNode) -> MapNode:
    """Another outcome replaces the rule's; new examples join the old ones."""
    outcome = next((name.text for name, _ in change.pairs if name.text in OUTCOMES), None)
    below: Sequence[tuple[ScalarNode, Node]] = tuple(
        (name, node)
        for name, node in rule.pairs
        if outcome is None or name.text == outcome or name.text not in OUTCOMES
    )
    above = [(name, node) for name, node in change.pairs if name.text != "off"]
    for index, (name, node) in enumerate(above):
        old = rule.get("examples")
        if name.text == "examples" and isinstance(node, ListNode) and isinstance(old, ListNode):
            above[index] = (name, ListNode(old.items + node.items, node.at))
    over = laid_over(MapNode(tuple(below), rule.at), MapNode(tuple(above), rule.at))
    assert isinstance(over, MapNode)
    return over


def _is_locked(rule: MapNode) -> bool:
    locked = rule.get("locked")
    return isinstance(locked, ScalarNode) and locked.value is True


def _id(rule: Node) -> str:
    name = rule.get("id") if isinstance(rule, MapNode) else None
    return name.text if isinstance(name, ScalarNode) else ""
