"""What the rules in force need of a database."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from shared.rules.reading.rule_texts import RuleText, RuleTexts


class StoredPacks(Protocol):
    """Where packs that came over the bus stand, and where the last good files outlive the folder and the process."""

    def revisions(self) -> Mapping[str, int]:
        """By tenant a number that changes with its stored packs; asked at every poll."""

    def texts(self, tenant: str, on: date | None) -> tuple[RuleText, ...]:
        """The tenant's stored packs that count on day ``on`` (None: the newest), at most one of a kind."""

    def kept_tenants(self) -> frozenset[str]:
        """Tenants whose own files were in force last."""

    def last_good(self, tenant: str | None) -> RuleTexts | None:
        """The files that were in force last, if anything is known."""

    def keep(self, in_force: Mapping[str | None, RuleTexts | None]) -> bool:
        """The files that are in force now, by tenant; None: it has none any more. False: not stored, ask again."""
