"""Rule files to packs: read, merge, check, run every example. All mistakes at once; then nothing is loaded."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

from shared.contract.words import PACK_KINDS, PackKind
from shared.located_yaml.collector import gc_paused
from shared.located_yaml.nodes import MapNode, Mistake, Node, Position
from shared.located_yaml.parser import read_yaml
from shared.rules.caching import IdentityCache
from shared.rules.errors import Mistakes, RuleFileError
from shared.rules.model import Pack
from shared.rules.reading.content_hash import content_hash
from shared.rules.reading.examples import check_examples
from shared.rules.reading.header import Header, read_header
from shared.rules.reading.overrides import merged
from shared.rules.reading.pack_content import read_content
from shared.rules.reading.rule_files import RULE_FILE, read_texts
from shared.rules.rule_texts import RuleText


@dataclass(frozen=True, slots=True)
class Loaded:
    """The packs in force and what a coach should know though it refuses nothing.

    ``hidden``: the tenant's files instead of which a stored pack counts.
    """

    packs: Mapping[PackKind, Pack]
    remarks: tuple[RuleFileError, ...] = ()
    hidden: tuple[str, ...] = ()
    made: Mapping[PackKind, "MadePack"] = field(default_factory=dict)
    """How the packs came about, for the next load to leave out what has not changed."""

    @classmethod
    def of(cls, made: "Mapping[PackKind, MadePack]", hidden: tuple[str, ...]) -> "Loaded":
        packs = {kind: one.pack for kind, one in made.items() if one.pack is not None}
        return cls(packs, tuple(remark for one in made.values() for remark in one.remarks), hidden, made)


@dataclass(frozen=True, slots=True)
class MadePack:
    """``of`` tells the texts it was made of from all others; ``pack`` None: whoever asked knows it."""

    of: str
    pack: Pack | None
    remarks: tuple[RuleFileError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    header: Header
    tree: MapNode
    file: str
    text: RuleText


def load_packs(rules_dir: Path, tenant: str | None = None, on: date | None = None) -> Mapping[PackKind, Pack]:
    """The packs in force for ``tenant`` (None: the base) on day ``on`` (None: the newest of each).

    ``rules_dir`` holds ``base/*.yaml`` and ``tenants/<id>/*.yaml``. Raises RuleFileErrors with every mistake.
    """
    return load(rules_dir, tenant, on).packs


def load(rules_dir: Path, tenant: str | None = None, on: date | None = None) -> Loaded:
    """As :func:`load_packs`, with the remarks: inherited examples that a tenant's override changes."""
    texts = read_texts(rules_dir, tenant)
    return load_texts(texts.base, texts.own, on)


@gc_paused()
def load_texts(
    base: Iterable[RuleText],
    tenant: Iterable[RuleText] = (),
    on: date | None = None,
    stored: Iterable[RuleText] = (),
    known: Collection[str] = (),
) -> Loaded:
    """Packs from texts instead of files. A ``stored`` pack counts instead of the tenant's files of its kind.

    ``known``: ``MadePack.of`` of packs that need not be made. Raises RuleFileErrors.
    """
    mistakes = Mistakes()
    base_sources = _sources(base, mistakes, tenant=False)
    tenant_sources = _sources(tenant, mistakes, tenant=True)
    stored_sources = _sources(stored, mistakes, tenant=True)
    mistakes.refuse()
    made: dict[PackKind, MadePack] = {}
    chosen = {kind: _in_force([s for s in base_sources if s.header.kind == kind], on, mistakes) for kind in PACK_KINDS}
    own = _by_kind(tenant_sources, base_sources, mistakes)
    over = {**own, **_by_kind(stored_sources, base_sources, mistakes)}
    hidden = tuple(source.file for kind, sources in own.items() for source in sources if source not in over[kind])
    for kind in PACK_KINDS:
        below = chosen[kind]
        above = _in_force(over.get(kind, []), on, mistakes)
        if above is not None and above.header.extends is None:
            if below is not None:
                _settings_complete(above, below, mistakes)
            below = None
        if above is not None or below is not None:
            made[kind] = _made(kind, below, above, known, mistakes)
    mistakes.refuse()
    return Loaded.of(made, hidden)


def _made(
    kind: PackKind, below: _Source | None, above: _Source | None, known: Collection[str], mistakes: Mistakes
) -> MadePack:
    """The pack of ``above``, laid over ``below`` where both are there, unless it is ``known``."""
    layers = tuple(one for one in (below, above) if one is not None)
    source, of = layers[-1], _told_apart(kind, [one.text for one in layers])
    alone = len(layers) == 1
    if of in known:
        return MadePack(of, None)
    if alone and (unchanged := _packs_alone.get(source)):
        return MadePack(of, unchanged)
    tree = source.tree
    sound = len(mistakes)
    remarks: list[RuleFileError] = []
    if above is not None and below is not None:
        _version_fits(above, below, mistakes)
        tree = merged(below.tree, above.tree, mistakes)
    content = read_content(tree, kind, mistakes)
    if len(mistakes) == sound:
        remarks = check_examples(content.rules, above.file if above else None, mistakes)
    pack = Pack(
        kind=kind,
        id=source.header.id,
        version=source.header.version,
        hash=content_hash(tree, kind),
        rules=content.rules,
        settings=content.settings,
        effective_from=source.header.effective_from,
        files=tuple(one.file for one in layers),
    )
    if alone and len(mistakes) == sound:
        _packs_alone.put(pack, source)
    return MadePack(of, pack, tuple(remarks))


def _told_apart(kind: PackKind, texts: Iterable[RuleText]) -> str:
    whole = hashlib.sha256(kind.encode())
    for text in texts:
        whole.update(f"\0{text.file}\0{len(text.raw)}\0".encode())
        whole.update(text.raw)
    return whole.hexdigest()


def headers_of(base: Iterable[RuleText]) -> list[Header]:
    """The first lines of base packs, of those that can be read."""
    return [source.header for source in _sources(base, Mistakes(), tenant=False)]


_packs_alone: IdentityCache[Pack] = IdentityCache(12)
"""Packs of one file each, without mistakes: the base packs, which most tenants change one of or none."""


@lru_cache(maxsize=12)
def _read(text: RuleText, tenant: bool) -> tuple[_Source | None, Mistakes]:
    """Trees are immutable, and parsing is most of a load: a file that did not change is parsed once per process."""
    mistakes = Mistakes()
    tree = read_tree(text, mistakes)
    header = None if tree is None else read_header(tree, mistakes, tenant)
    if header is None or not isinstance(tree, MapNode):
        return None, mistakes
    return _Source(header, tree, text.file, text), mistakes


def read_tree(text: RuleText, mistakes: Mistakes) -> Node | None:
    """None for what is no sound YAML, with the reasons in ``mistakes``."""
    unreadable: list[Mistake] = []
    tree = read_yaml(text.raw, text.file, RULE_FILE, unreadable)
    mistakes.add_unreadable(unreadable)
    return None if unreadable else tree


def _sources(texts: Iterable[RuleText], mistakes: Mistakes, tenant: bool) -> list[_Source]:
    found: list[_Source] = []
    for text in texts:
        source, unreadable = _read(text, tenant)
        mistakes.add_all(unreadable)
        if source is not None:
            found.append(source)
    return found


def _in_force(sources: list[_Source], on: date | None, mistakes: Mistakes) -> _Source | None:
    """The pack whose effective date is the latest not after ``on``; two with the same date are a mistake."""
    due = [s for s in sources if on is None or s.header.effective_from is None or s.header.effective_from <= on]
    due.sort(key=lambda s: s.header.effective_from or date.min)
    if not due:
        return None
    if len(due) > 1 and due[-1].header.effective_from == due[-2].header.effective_from:
        mistakes.add(
            due[-1].tree.at,
            f"a second {due[-1].header.kind or 'pack for ' + due[-1].header.id} pack beside {due[-2].file}; "
            "keep one, or give them different 'effective: {from: …}' dates",
        )
    return due[-1]


def _by_kind(tenant: list[_Source], base: list[_Source], mistakes: Mistakes) -> dict[PackKind, list[_Source]]:
    kinds = {source.header.id: source.header.kind for source in base}
    found: dict[PackKind, list[_Source]] = {}
    for source in tenant:
        header = source.header
        kind = header.kind
        if header.extends is not None:
            name = header.extends[0]
            below = kinds.get(name)
            at = _at(source, "extends")
            if below is None:
                mistakes.add(at, f"there is no base pack '{name}'{mistakes.nearest(name, kinds)}")
            elif kind is not None and kind != below:
                mistakes.add(_at(source, "kind"), f"the pack is of kind {kind}, but '{name}' is of kind {below}")
            kind = below
        elif source.tree.get("override") is not None:
            mistakes.add(_at(source, "override"), "'override' needs 'extends': say which base pack it changes")
        if kind is not None:
            found.setdefault(kind, []).append(source)
    return found


def _at(source: _Source, name: str) -> Position:
    node = source.tree.get(name)
    return source.tree.at if node is None else node.at


def _settings_complete(above: _Source, below: _Source, mistakes: Mistakes) -> None:
    """A pack that stands instead of the base's must have its settings: services read them, and there is no default."""
    missing = [name for name in _setting_names(below) if name not in _setting_names(above)]
    if missing:
        shown = ", ".join(f"'{name}'" for name in missing[:3]) + (
            f" and {len(missing) - 3} more" if missing[3:] else ""
        )
        mistakes.add(
            _at(above, "settings"),
            f"the pack stands instead of {below.header.id} and lacks its settings {shown}; "
            f"add them, or write 'extends: {below.header.id}@{below.header.version.split('.')[0]}'",
        )


def _setting_names(source: _Source) -> list[str]:
    settings = source.tree.get("settings")
    return [name.text for name, _ in settings.pairs] if isinstance(settings, MapNode) else []


def _version_fits(above: _Source, below: _Source, mistakes: Mistakes) -> None:
    wanted = above.header.extends[1] if above.header.extends is not None else None
    actual = int(below.header.version.split(".")[0])
    if wanted is not None and wanted != actual:
        mistakes.add(
            _at(above, "extends"),
            f"written for version {wanted} of {below.header.id}, which is at {below.header.version}; "
            f"read what changed, then write '@{actual}'",
        )
