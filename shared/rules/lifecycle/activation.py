"""From the files and stored packs of the base, or of one tenant, to rules in force: all of them or none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from shared.contract.words import PackKind
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.evaluation.prepared import PreparedPack
from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.making import MadeRules, Maker
from shared.rules.reading.rule_files import base_texts, own_texts, read_files
from shared.rules.rule_texts import BASE, STORED, RuleText, RuleTexts

FILES: Final = "files"


class StoredPacks(Protocol):
    """Where packs that came over the bus stand, and where the last good files outlive the folder and the process."""

    def revisions(self) -> Mapping[str, int]:
        """By tenant a number that changes with its stored packs; asked at every poll."""

    def texts(self, tenant: str, on: date | None) -> tuple[RuleText, ...]:
        """The tenant's stored packs that count on day ``on`` (None: the newest), at most one of a kind."""

    def saved_tenants(self) -> frozenset[str]:
        """Tenants whose own files were in force last."""

    def last_good(self, tenant: str | None) -> RuleTexts | None:
        """The files that were in force last, if anything is known."""

    def save(self, in_force: Mapping[str | None, RuleTexts | None]) -> bool:
        """The files that are in force now, by tenant; None: it has none any more. False: not stored, ask again."""


@dataclass(frozen=True, slots=True)
class Active:
    """What is in force for one tenant, and why it is not what the files say, if it is not.

    ``source``: ``files``; ``stored``: the last good files, from the database; ``base``: nothing of its own was usable.
    """

    made: MadeRules
    errors: tuple[RuleFileError, ...] = ()
    source: str = FILES

    @property
    def texts(self) -> RuleTexts:
        return self.made.texts

    @property
    def rules(self) -> TenantRules:
        return self.made.rules

    @property
    def prepared(self) -> Mapping[PackKind, PreparedPack]:
        return self.made.prepared

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.source,
            "files_not_counting": list(self.made.loaded.hidden),
            "packs": [
                {
                    "kind": kind,
                    "id": prepared.pack.id,
                    "version": prepared.pack.version,
                    "hash": prepared.pack.hash[:12],
                    "rules": len(prepared.pack.rules),
                    "stored": prepared.pack.files[-1:] != () and prepared.pack.files[-1].startswith(STORED),
                    "files": list(prepared.pack.files),
                }
                for kind, prepared in self.prepared.items()
            ],
            "errors": [error.as_json() for error in self.errors],
        }


class Activator:
    """Makes what can be in force. A tenant's packs always lie over the base *in force*, never over a broken file."""

    def __init__(self, rules_dir: Path, maker: Maker, stored: StoredPacks | None) -> None:
        self._rules_dir = rules_dir
        self._maker = maker
        self._stored = stored

    def base(self, before: Active | None, day: date | None) -> Active:
        """Raises ``RuleFileErrors`` when there is nothing to begin with."""
        try:
            return self._ready(RuleTexts(base_texts(self._rules_dir)), day, None, before)
        except RuleFileErrors as errors:
            if before is not None:
                return replace(before, errors=errors.errors)
            good = self._stored.last_good(None) if self._stored else None
            if good is None:
                raise
            try:
                return replace(self._ready(good, day, None, None), errors=errors.errors, source="stored")
            except RuleFileErrors:
                raise errors from None

    def tenant(
        self, tenant: str, base: Active, before: Active | None, stored: tuple[RuleText, ...], day: date | None
    ) -> Active | None:
        """None: nothing of the tenant's own is left, the base stands for it."""
        try:
            own = own_texts(self._rules_dir, tenant)
            if not own and base.errors and not read_files(self._rules_dir / BASE):
                raise RuleFileErrors(base.errors)  # The whole folder is away: nobody took the tenant's files away.
            if not own and not stored:
                return None
            return self._ready(RuleTexts(base.texts.base, own, stored), day, base, before)
        except RuleFileErrors as errors:
            return self._last_good(tenant, base, before, stored, day, errors)

    def _last_good(
        self,
        tenant: str,
        base: Active,
        before: Active | None,
        stored: tuple[RuleText, ...],
        day: date | None,
        errors: RuleFileErrors,
    ) -> Active | None:
        """The files that were good last with what is stored now; failing that the base in force with it."""
        if before is not None and before.texts.stored == stored:
            return replace(before, errors=errors.errors)
        saved = self._stored.last_good(tenant) if before is None and self._stored else None
        good = before.texts if before is not None else saved
        attempts = [] if good is None else [(before.source if before else "stored", replace(good, stored=stored))]
        attempts.append(("base", RuleTexts(base.texts.base, (), stored)))
        mistakes = errors.errors
        for source, texts in attempts:
            try:
                made = self._ready(texts, day, base, before)
                return replace(made, errors=errors.errors, source=source)
            except RuleFileErrors as more:
                mistakes = tuple(dict.fromkeys((*mistakes, *more.errors)))
        return replace(before or base, errors=mistakes, source=before.source if before else "base")

    def _ready(self, texts: RuleTexts, day: date | None, base: Active | None, before: Active | None) -> Active:
        # Of other tenants no pack can be the very same: it stands in other files.
        return Active(self._maker.make(texts, day, [one.made for one in (base, before) if one is not None]))
