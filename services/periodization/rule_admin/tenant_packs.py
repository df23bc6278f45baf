"""A tenant's pack as it comes over the bus: checked against all that would stand beside it, before it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from shared.contract.words import PackKind
from shared.located_yaml.nodes import MapNode, Position
from shared.rules.authoring.difference import Difference, differences
from shared.rules.errors import Mistakes, RuleFileError, RuleFileErrors
from shared.rules.evaluation.evaluators import Evaluator
from shared.rules.evaluation.prepared import prepare
from shared.rules.lifecycle.dry_run import Triable, kind_extended, texts_of
from shared.rules.lifecycle.making import RulesTooCostly
from shared.rules.lifecycle.rule_worker import WorkStopped
from shared.rules.reading.header import read_header
from shared.rules.reading.loader import load_texts, read_tree
from shared.rules.rule_texts import RuleText, RuleTexts

SENT: Final = "text"
"""How mistakes name a pack that was sent: ``text:12:3: …``."""


@dataclass(frozen=True, slots=True)
class SoundPack:
    """``remarks``: inherited examples that it changes. ``differences``: from what is in force for its kind."""

    kind: PackKind
    id: str
    version: str
    hash: str
    effective_from: date | None
    remarks: tuple[RuleFileError, ...]
    differences: tuple[Difference, ...]


def sound_pack(text: str, tenant: str, rules: Triable, stored: Mapping[PackKind, RuleText], today: date) -> SoundPack:
    """The pack with what it would stand on. ``stored``: the tenant's packs in force, of which it replaces one.

    Raises ``RuleFileErrors`` with the mistakes, in which no file is named with the server's folders.
    """
    texts = texts_of(rules)
    names = texts.short_names()
    try:
        sound: SoundPack = rules.apart(checked, text, tenant, texts, dict(stored), today)
    except WorkStopped as stopped:
        raise RulesTooCostly.at(SENT, stopped) from None
    except RuleFileErrors as errors:
        raise errors.renamed(names) from None
    return replace(sound, remarks=tuple(remark.renamed(names) for remark in sound.remarks))


def checked(
    evaluator: Evaluator, text: str, tenant: str, texts: RuleTexts, stored: Mapping[PackKind, RuleText], today: date
) -> SoundPack:
    """``sound_pack``, where packs are read. Raises ``RuleFileErrors``."""
    sent = RuleText(SENT, text.encode())
    kind, effective_from = _own(sent, tenant, texts.base)
    beside = {other: one for other, one in stored.items() if other != kind}
    day = max(today, effective_from or today)
    loaded = load_texts(texts.base, texts.own, day, (*beside.values(), sent))
    prepare({kind: loaded.packs[kind]}, evaluator)
    now = load_texts(texts.base, texts.own, today, texts.stored).packs[kind]
    pack = loaded.packs[kind]
    return SoundPack(kind, pack.id, pack.version, pack.hash, effective_from, loaded.remarks, differences(now, pack))


def _own(sent: RuleText, tenant: str, base: tuple[RuleText, ...]) -> tuple[PackKind, date | None]:
    """What the first lines say, if the pack is one that this tenant may send."""
    mistakes = Mistakes()
    tree = read_tree(sent, mistakes)
    header = None if tree is None else read_header(tree, mistakes, tenant=True)
    if header is None or not isinstance(tree, MapNode):
        raise RuleFileErrors(mistakes.all() or [RuleFileError(SENT, 1, 1, None, "this is no rule pack")])
    mistakes.refuse()
    if not header.id.startswith(f"{tenant}."):
        mistakes.add(_place(tree, "id"), f"'{header.id}' is not one of your packs; its id begins with '{tenant}.'")
    if header.extends is None:
        mistakes.add(
            _place(tree, "kind"), "a pack that is sent changes a base pack: write 'extends: base.sequencing@1'"
        )
        raise RuleFileErrors(mistakes.all())
    mistakes.refuse()
    kind = kind_extended(base, header.extends[0])
    if kind is None:
        load_texts(base, (), None, (sent,))  # says which base packs there are
        raise RuleFileErrors([RuleFileError(SENT, 1, 1, None, f"there is no base pack '{header.extends[0]}'")])
    return kind, header.effective_from


def _place(tree: MapNode, name: str) -> Position:
    node = tree.get(name)
    return tree.at if node is None else node.at
