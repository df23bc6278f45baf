"""A pack's ``settings``: named parameters with unit and range."""

import re
from typing import Any

from shared.located_yaml.nodes import ListNode, MapNode, Node, ScalarNode, described
from shared.rules.amounts import NotAnAmount, looks_like_amount, parse_amount, within
from shared.rules.model import Amount, Setting
from shared.rules.reading.setting_shapes import SETTING_SHAPES, check_shape
from shared.rules.reading.tree_reader import Reader

SETTING_FIELDS = ("value", "unit", "allowed", "because", "source")

_SETTING = re.compile(r"[a-z][a-z0-9_]{0,79}")


def plain_value(reader: Reader, node: Node, what: str) -> Any:
    """A setting's value: words and flags as they stand, amounts as one number ("-40 %" is -0.4)."""
    if isinstance(node, ListNode):
        return [plain_value(reader, item, what) for item in node.items]
    if isinstance(node, MapNode):
        return {name: plain_value(reader, value, f"'{name}'") for name, value in reader.table(node, what).items()}
    return _scalar(reader, node, what)


def _scalar(reader: Reader, node: ScalarNode, what: str) -> Any:
    if node.omitted:
        reader.mistakes.add(node.at, f"{what} has no value")
        return None
    if not isinstance(node.value, str) or not looks_like_amount(node.text):
        return node.value
    try:
        amount = parse_amount(node.text)
    except NotAnAmount as problem:
        # A sentence or a label may begin with a number ("2 easy days"); a short text that does is a slip.
        if len(node.text.split()) > 4 or re.search(r"\d+[-/:]\d+|[A-Za-z]-", node.text):
            return node.value
        reader.mistakes.add(node.at, f"{what}: {problem}")
        return None
    if amount.low is not None and amount.high is not None and amount.low != amount.high:
        return [amount.low, amount.high]
    return amount.low if amount.low is not None else amount.high


def read_settings(reader: Reader, node: Node) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for name, value in reader.table(node, "'settings'").items():
        if not _SETTING.fullmatch(name):
            reader.mistakes.add(value.at, f"'{name}' is no setting's name; use small letters, digits and '_'")
            continue
        fields = reader.table(value, f"the setting '{name}'", SETTING_FIELDS)
        if "value" not in fields:
            if isinstance(value, MapNode):
                reader.mistakes.add(value.at, f"the setting '{name}' has no 'value'")
            continue
        if name in SETTING_SHAPES:
            # First, since of two mistakes at one place the first is told, and this one knows what belongs there.
            check_shape(reader, SETTING_SHAPES[name], fields["value"], f"'{name}'")
        plain = plain_value(reader, fields["value"], f"'{name}'")
        unit = reader.text(fields["unit"], "'unit'") if "unit" in fields else None
        because = reader.text(fields["because"], "'because'") if "because" in fields else None
        source = reader.source(fields["source"]) if "source" in fields else None
        allowed = _allowed(reader, fields["allowed"]) if "allowed" in fields else None
        if allowed is not None and name not in SETTING_SHAPES and not isinstance(plain, float):
            reader.mistakes.add(fields["value"].at, f"'{name}' is one number, not {described(fields['value'])}")
        elif allowed is not None and isinstance(plain, float) and not within(allowed, plain):
            reader.mistakes.add(fields["value"].at, f"'{name}' is {plain:g}; allowed is {_text_of(fields['allowed'])}")
        found[name] = Setting(name, plain, unit, allowed, because, value.at, source)
    return found


def _text_of(node: Node) -> str:
    return node.text if isinstance(node, ScalarNode) else ""


def _allowed(reader: Reader, node: Node) -> Amount | None:
    text = reader.text(node, "'allowed'")
    try:
        return None if text is None else parse_amount(text)
    except NotAnAmount as problem:
        reader.mistakes.add(node.at, f"'allowed': {problem}")
        return None
