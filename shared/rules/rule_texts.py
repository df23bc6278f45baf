"""What a tenant's rules are made of: the base files, the tenant's own files, and the packs it stored over the bus."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

BASE: Final = "base"
TENANTS: Final = "tenants"
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

    def short_names(self) -> dict[str, str]:
        """By file what tells it apart, for those whom the server's folders do not concern: ``base/deload.yaml``."""
        return {text.file: _short(text.file) for text in (*self.base, *self.own, *self.stored)}


def _short(file: str) -> str:
    parts = PurePath(file).parts
    begins = max((at for at, part in enumerate(parts[:-1]) if part in (BASE, TENANTS)), default=len(parts) - 1)
    return file if file.startswith(STORED) else "/".join(parts[begins:])
