"""The numbers of the sequencing pack that planning reads; each is explained in ``rules/base/sequencing.yaml``."""

from collections.abc import Mapping
from typing import Any


class MissingSetting(KeyError):
    """The sequencing pack lacks a setting that planning needs."""

    def __str__(self) -> str:
        return f"the sequencing pack has no setting '{self.args[0]}'"


def setting(settings: Mapping[str, Any], name: str) -> Any:
    """There is no number to fall back on in code: raises ``MissingSetting``."""
    if name not in settings:
        raise MissingSetting(name)
    return settings[name]
