"""What is on record about an athlete's calendar beside its plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.messages.values import PlannedSession


@dataclass(frozen=True, slots=True)
class DoneEntry:
    """A done session under its own id; ``planned``: the id that it had in the plan."""

    session: PlannedSession
    start: datetime
    planned: str | None


@dataclass(frozen=True, slots=True)
class StandingMove:
    """Where somebody moved a session. ``overridden``: each hard rule broken on purpose, with the sessions concerned."""

    start: datetime
    overridden: Sequence[Mapping[str, Any]] = ()
