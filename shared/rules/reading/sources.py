"""``rules/sources.yaml``: the texts and studies that rules and settings cite, by their headings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.located_yaml.nodes import MapNode, Mistake, Position
from shared.located_yaml.parser import read_yaml
from shared.located_yaml.text import FileKind
from shared.rules.errors import Mistakes, RuleFileError, RuleFileErrors, did_you_mean
from shared.rules.model import Pack
from shared.rules.reading.rule_files import read_rule_file
from shared.rules.reading.tree_reader import Reader

SOURCES: Final = "sources.yaml"
_FILE: Final = FileKind("list of sources", "'Foster 2001: {title: …}'", max_bytes=256 * 1024)
_FIELDS: Final = ("title", "authors", "year", "published", "doi", "found")
_STRENGTH: Final = re.compile(r" \((?:strong|moderate|weak|practice)\)$")


@dataclass(frozen=True, slots=True)
class CitedText:
    """``key``: as rules cite it, e.g. ``Foster 2001``; ``found``: one sentence of what the source says."""

    key: str
    title: str
    authors: str
    year: int
    published: str
    found: str
    doi: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """``of``: the rule or setting that rests on ``key``."""

    key: str
    pack: str
    of: str
    at: Position | None


def read_sources(rules_dir: Path) -> Mapping[str, CitedText]:
    """The list beside ``base/``; empty where there is none. Raises RuleFileErrors with every mistake in it."""
    path = rules_dir / SOURCES
    try:
        raw = read_rule_file(str(path))
    except FileNotFoundError:
        return {}
    except OSError as error:
        why = f"cannot be read: {error.strerror or 'no access'}"
        raise RuleFileErrors([RuleFileError(str(path), 1, 1, None, why)]) from error
    mistakes, unreadable = Mistakes(), list[Mistake]()
    tree = read_yaml(raw, str(path), _FILE, unreadable)
    mistakes.add_unreadable(unreadable)
    reader = Reader(mistakes)
    found: dict[str, CitedText] = {}
    for key, node in ({} if tree is None else reader.table(tree, "the list of sources")).items():
        fields = reader.table(node, f"'{key}'", _FIELDS)
        missing = [name for name in _FIELDS if name != "doi" and name not in fields]
        if missing and isinstance(node, MapNode):
            mistakes.add(node.at, f"'{key}' has no '{missing[0]}'")
        texts = {name: reader.text(value, f"'{name}'") or "" for name, value in fields.items()}
        if "year" in texts and not re.fullmatch(r"(19|20)\d\d", texts["year"]):
            mistakes.add(fields["year"].at, f"'year' of '{key}' is a year, like 2016")
        elif not missing:
            found[key] = CitedText(key, year=int(texts.pop("year")), **texts)
    mistakes.refuse()
    return found


def citations(packs: Iterable[Pack]) -> Iterator[Citation]:
    """What rests on which source, in the packs' order; ``A; B (weak)`` cites both."""
    for pack in packs:
        settings = [(name, one.source, one.position) for name, one in pack.settings.items()]
        for name, source, at in [*settings, *((rule.id, rule.source, rule.position) for rule in pack.rules)]:
            for key in _STRENGTH.sub("", source or "").split("; "):
                if key:
                    yield Citation(key, pack.id, name, at)


def unlisted(packs: Iterable[Pack], sources: Mapping[str, CitedText]) -> list[RuleFileError]:
    """A remark for each citation that the list does not hold; none where there is no list."""
    return [
        RuleFileError(
            one.at.file, one.at.line, one.at.column, one.of,
            f"cites '{one.key}', which {SOURCES} does not list{did_you_mean(one.key, sources)}",
        )
        for one in citations(packs)
        if sources and one.at is not None and one.key not in sources
    ]  # fmt: skip
