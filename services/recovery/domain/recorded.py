"""What is recorded of an athlete's days, as it is read for an assessment."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.recovery.domain.inputs import StreamRatio
from shared.contract.sessions import EASY_RUN_TYPES
from shared.contract.words import Stream


class LoadDay(NamedTuple):
    """A day's coupled ratios, and the state that it was marked with or that follows from its records."""

    date: date
    state: str | None
    ratios: Mapping[Stream, StreamRatio]


class DoneTraining(NamedTuple):
    """What a done session says about effort and strength; ``e1rm``: pairs of lift and kg."""

    date: date
    kind: str
    type: str | None
    rpe: float | None
    e1rm: Sequence[tuple[str, float]]

    @property
    def is_easy_run(self) -> bool:
        return self.kind == "run" and self.type in EASY_RUN_TYPES
