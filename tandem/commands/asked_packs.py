"""Which packs ``tandem rules check|test|lint [PATH]`` is asked about, and what they stand on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.rules.errors import RuleFileError, RuleFileErrors
from tandem.commands.options import INPUT_IS_WRONG, refuse, require_tenant, rules_option, tenants_in

if TYPE_CHECKING:
    from shared.rules.model import Pack
    from shared.rules.reading.loader import Loaded
    from shared.rules.rule_texts import RuleText, RuleTexts


def pack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """[PATH], --rules, --tenant, --json."""
    path = click.argument("path", required=False, type=click.Path(path_type=Path, exists=True))
    tenant = click.option("--tenant", help="Only this tenant (default: the base and every tenant in the folder).")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    return path(rules_option(tenant(as_json(command))))


@dataclass(frozen=True, slots=True)
class AskedPacks:
    """``texts`` by tenant; None: the base, which may be there only to be stood on.

    ``files``: those that were asked about; None: all there are.
    """

    rules_dir: Path
    texts: "Mapping[str | None, RuleTexts]"
    tenant: str | None = None
    files: frozenset[str] | None = None
    misnamed: tuple[RuleFileError, ...] = ()
    unreadable: tuple[RuleFileError, ...] = ()

    def load(self, as_json: bool, code: int = INPUT_IS_WRONG) -> "dict[str | None, Loaded]":
        """Every mistake of all of them at once, then exit with ``code``."""
        from shared.rules.reading.loader import load_texts

        loaded: dict[str | None, Loaded] = {}
        mistakes = list(self.unreadable)
        for name, texts in self.texts.items():
            try:
                loaded[name] = load_texts(texts.base, texts.own)
            except RuleFileErrors as errors:
                mistakes += errors.errors
        if mistakes:
            refuse(list(dict.fromkeys((*mistakes, *self.misnamed))), as_json, code)
        return loaded

    def own(self, name: str | None, loaded: "Mapping[str | None, Loaded]") -> "list[Pack]":
        """The packs of a tenant, or of the base, that were asked about: not what a tenant has from the base."""
        packs = loaded[name].packs.values()
        if self.files is not None:
            return [pack for pack in packs if pack.files and pack.files[-1] in self.files]
        if name is None:
            return [] if self.tenant is not None else list(packs)
        base = {pack.hash for pack in loaded[None].packs.values()}
        return [pack for pack in packs if pack.hash not in base]


def asked_packs(path: Path | None, rules_dir: Path, tenant: str | None, as_json: bool) -> AskedPacks:
    """``path``: a folder that holds ``base/``, a folder of packs, or one pack; None: ``rules_dir``. Exits 2 when there
    is nothing to be looked at."""
    from shared.rules.reading.rule_files import misnamed, misnamed_files, read_files, read_texts

    if path is None or (path / "base").is_dir():
        folder = path or rules_dir
        require_tenant((folder,), tenant, as_json)
        names = [None, *(tenants_in(folder) if tenant is None else [tenant])]
        texts: dict[str | None, RuleTexts] = {}
        unreadable: list[RuleFileError] = []
        for name in names:
            try:
                texts[name] = read_texts(folder, name)
            except RuleFileErrors as errors:
                unreadable += errors.errors
        wrong = tuple(misnamed_files(folder, tenant))
        return AskedPacks(folder, texts, tenant, misnamed=wrong, unreadable=tuple(unreadable))
    require_tenant((rules_dir,), tenant, as_json)
    try:
        given = read_files(path) if path.is_dir() else [_one(path)]
        base = read_texts(rules_dir).base
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json)
    if not given:
        nothing = "neither a folder base/ nor rule files (*.yaml) in this folder"
        refuse([RuleFileError(str(path), 1, 1, None, nothing)], as_json)
    found = map(misnamed, sorted(path.glob("*")) if path.is_dir() else [path])
    wrong = tuple(one for one in found if one is not None)
    return AskedPacks(rules_dir, _laid_out(base, given, tenant), tenant, frozenset(one.file for one in given), wrong)


def _one(path: Path) -> "RuleText":
    from shared.rules.reading.rule_files import read_rule_file
    from shared.rules.rule_texts import RuleText

    try:
        return RuleText(str(path), read_rule_file(str(path)))
    except OSError as error:
        why = f"cannot be read: {error.strerror or 'no access'}"
        raise RuleFileErrors([RuleFileError(str(path), 1, 1, None, why)]) from None


def _laid_out(
    base: "tuple[RuleText, ...]", given: "list[RuleText]", tenant: str | None
) -> "dict[str | None, RuleTexts]":
    """A given base pack stands in place of the base's of its kind; any other is its tenant's, over the base."""
    from shared.rules.rule_texts import RuleTexts

    own: dict[str, list[RuleText]] = {}
    in_place: list[RuleText] = []
    kinds = set()
    for text in given:
        header = _header(text)
        if header is not None and header.extends is None and header.id.startswith("base."):
            in_place.append(text)
            kinds.add(header.kind)
        else:
            own.setdefault(tenant or (header.id.partition(".")[0] if header is not None else "?"), []).append(text)
    kept = (one for one in base if (header := _header(one)) is None or header.kind not in kinds)
    below = (*kept, *in_place)
    laid_out: dict[str | None, RuleTexts] = {None: RuleTexts(below)}
    return laid_out | {name: RuleTexts(below, tuple(texts)) for name, texts in own.items()}


def _header(text: "RuleText") -> Any:
    from shared.rules.errors import Mistakes
    from shared.rules.reading.header import read_header
    from shared.rules.reading.loader import read_tree

    tree = read_tree(text, Mistakes())
    return None if tree is None else read_header(tree, Mistakes(), tenant=True)


def told_of(asked: AskedPacks, loaded: "Mapping[str | None, Loaded]") -> "Iterator[tuple[str | None, Pack]]":
    """What is worth a line: with the tenant whose it is."""
    for name in loaded:
        for pack in asked.own(name, loaded):
            yield name, pack
