"""What a tenant's rules are made of: the base files, the tenant's own files, and the packs it stored over the bus."""

from dataclasses import dataclass
from typing import Final

STORED: Final = "stored/"
"""How the names of packs that came over the bus begin, where files are named."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule file's name, as messages show it, and its bytes."""

    file: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class RuleTexts:
    """``stored``: at most one pack of a kind; it counts instead of the tenant's file of that kind."""

    base: tuple[RuleText, ...]
    own: tuple[RuleText, ...] = ()
    stored: tuple[RuleText, ...] = ()
