"""The first lines of a pack: which dialect, kind, id and version, from when on, and what it extends."""

import re
from dataclasses import dataclass
from datetime import date
from typing import cast, get_args

from shared.contract.words import PackKind
from shared.located_yaml.nodes import MapNode, Node, described
from shared.rules.errors import Mistakes
from shared.rules.reading.tree_reader import Reader

DIALECT = "tandem-rules/1"
PACK_FIELDS = ("dialect", "kind", "id", "version", "effective", "title", "because", "words", "settings", "rules")
TENANT_FIELDS = (*PACK_FIELDS, "extends", "override")

_VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}")
_PACK_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EXTENDS = re.compile(r"([a-z0-9][a-z0-9.-]*?)(?:@(\d{1,6}))?")


@dataclass(frozen=True, slots=True)
class Header:
    """Who a pack is, as far as it could be read."""

    kind: PackKind | None
    id: str
    version: str
    effective_from: date | None = None
    extends: tuple[str, int | None] | None = None


def read_header(node: Node, mistakes: Mistakes, tenant: bool) -> Header | None:
    """The first lines of a pack; None when it is no pack at all."""
    reader = Reader(mistakes)
    if not isinstance(node, MapNode):
        mistakes.add(node.at, f"a rule file is a table that starts with 'dialect: {DIALECT}', not {described(node)}")
        return None
    before = len(mistakes)
    fields = reader.table(node, "a pack", TENANT_FIELDS if tenant else PACK_FIELDS)
    needed = ["id", "version"] + ([] if tenant else ["dialect", "kind"])
    for name in needed:
        if name not in fields:
            mistakes.add(node.at, f"'{name}' is missing at the top of the pack")
    if "dialect" in fields and reader.text(fields["dialect"], "'dialect'") not in (DIALECT, None):
        mistakes.add(fields["dialect"].at, f"this is not a dialect known here; write '{DIALECT}'")
    kind = None
    if "kind" in fields:
        kind = cast("PackKind | None", reader.word(fields["kind"], "'kind'", get_args(PackKind)))
    pack_id = reader.matched(fields.get("id"), "'id'", _PACK_ID, "small letters, digits, '.' and '-'")
    version = reader.matched(fields.get("version"), "'version'", _VERSION, 'three numbers in quotes, like "1.0.0"')
    effective = _effective(reader, fields["effective"]) if "effective" in fields else None
    extends = _extends(reader, fields["extends"]) if "extends" in fields else None
    if tenant and extends is None and kind is None and len(mistakes) == before:
        mistakes.add(node.at, "say what the pack changes: 'extends: base.sequencing@1'")
    return Header(kind, pack_id or "", version or "", effective, extends)


def _effective(reader: Reader, node: Node) -> date | None:
    fields = reader.table(node, "'effective'", ("from",))
    if "from" not in fields:
        return None
    text = reader.text(fields["from"], "'from'")
    try:
        if text is None or not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        if text is not None:
            reader.mistakes.add(fields["from"].at, f"'{text}' is no date; write it as 2026-11-01")
        return None


def _extends(reader: Reader, node: Node) -> tuple[str, int | None] | None:
    text = reader.text(node, "'extends'")
    match = _EXTENDS.fullmatch(text or "")
    if text is not None and match is None:
        reader.mistakes.add(node.at, f"'extends' cannot be '{text}'; write it like 'base.sequencing@1'")
    return None if match is None else (match[1], None if match[2] is None else int(match[2]))
