"""Rules tried beside those in force: what both would decide."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, Self, TypeVar

from shared.contract.words import PackKind
from shared.rules.decisions import Rules
from shared.rules.errors import RuleFileErrors
from shared.rules.model import Pack
from shared.rules.reading.loader import headers_of
from shared.rules.rule_texts import RuleText, RuleTexts


class Triable(Rules, Protocol):
    """Rules that know what they are made of, as ``shared.rules.evaluation.tenant_rules.TenantRules`` does."""

    @property
    def texts(self) -> RuleTexts | None: ...

    def packs(self) -> tuple[Pack, ...]: ...

    def beside(self, texts: RuleTexts, on: date | None) -> Self: ...

    def apart(self, function: Callable[..., Any], *arguments: Any) -> Any: ...


TriableRules = TypeVar("TriableRules", bound=Triable)


@dataclass(frozen=True, slots=True)
class BothRules:
    before: Rules
    after: Rules


def texts_of(rules: Triable) -> RuleTexts:
    """Raises ``LookupError`` for rules that were not made of texts."""
    if rules.texts is None:
        raise LookupError("these rules were not made of texts, so nothing can be tried beside them")
    return rules.texts


def with_stored(rules: Triable, stored: Mapping[PackKind, RuleText], on: date) -> Triable:
    """The files that ``rules`` are made of with other stored packs. Raises ``RuleFileErrors``."""
    texts = texts_of(rules)
    return tried(rules, RuleTexts(texts.base, texts.own, tuple(stored[kind] for kind in sorted(stored))), on)


def tried(rules: TriableRules, texts: RuleTexts, on: date | None) -> TriableRules:
    """The packs of ``texts`` beside ``rules``, in force for nobody.

    Raises ``RuleFileErrors``, in which no file is named with the server's folders: tenants read them.
    """
    try:
        return rules.beside(texts, on)
    except RuleFileErrors as errors:
        raise errors.renamed(texts.short_names()) from None


def kind_extended(base: Iterable[RuleText], pack: str) -> PackKind | None:
    """The kind of the base pack with this id; None when there is none."""
    return next((header.kind for header in headers_of(base) if header.id == pack), None)
