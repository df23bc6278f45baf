"""What readiness is assessed from, and the same as one column per measure."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import log
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from services.recovery.domain.windows import Floats
from shared.contract.wellness import WELLNESS
from shared.contract.words import LoadStatus, Stream
from shared.messages.values import PlannedSession
from shared.rules.model import Facts


@dataclass(frozen=True, slots=True)
class StreamRatio:
    """A stream's coupled acute:chronic ratio on a day; ``value`` None = no figure, ``status`` says why."""

    value: float | None
    status: LoadStatus


@dataclass(frozen=True, slots=True)
class EasyRun:
    """An easy or recovery run with its CR-10 effort."""

    date: date
    rpe: float


@dataclass(frozen=True, slots=True)
class StrengthMark:
    """The best estimated one-repetition maximum of one lift on one day, kg."""

    date: date
    lift: str
    e1rm_kg: float


class MorningRecord(Protocol):
    """One morning: what was reported, by item of the contract."""

    @property
    def date(self) -> date: ...
    @property
    def given(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class ReadinessInputs:
    """Everything known on ``on``; records after it are not looked at. ``excluded_days``: sick and travel days,
    ``sick_days``: the sick among them; ``loads``: by day, for rules that ask what lasted; ``who``: the athlete's
    priority, level, phase and day strategy, for rules that are not for everybody."""

    on: date
    wellness: Sequence[MorningRecord] = ()
    excluded_days: frozenset[date] = frozenset()
    sick_days: frozenset[date] = frozenset()
    loads: Mapping[date, Mapping[Stream, StreamRatio]] = field(default_factory=dict)
    easy_runs: Sequence[EasyRun] = ()
    strength: Sequence[StrengthMark] = ()
    planned_today: Sequence[PlannedSession] = ()
    who: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mornings:
    """One column per measure, one entry per calendar day from ``first``; NaN = not recorded.

    A yes or no is 1 or 0. ``in_baseline`` is False on days that say nothing about normal: sick,
    travel, or reported ill that morning.
    """

    first: date
    columns: Mapping[str, Floats]
    in_baseline: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.in_baseline)

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def normal(self, name: str) -> Floats:
        """A column with the days left out that say nothing about normal."""
        return np.where(self.in_baseline, self.columns[name], np.nan)

    def index(self, on: date) -> int:
        return (on - self.first).days

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)


def mornings(inputs: ReadinessInputs, aside: Set[tuple[date, str]] = frozenset()) -> Mornings:
    """The columns from the first record of any kind to ``on``. Two records of one date complete each other; where both
    carry a field the later in the given order counts. ``aside``: by date and item what is not looked at."""
    days = [w.date for w in inputs.wellness] + [r.date for r in inputs.easy_runs] + [m.date for m in inputs.strength]
    first = min((day for day in days if day <= inputs.on), default=inputs.on)
    length = (inputs.on - first).days + 1
    columns: dict[str, Floats] = {name: np.full(length, np.nan) for name in (*WELLNESS, "ln_rmssd")}
    for morning in inputs.wellness:
        index = (morning.date - first).days
        if not 0 <= index < length:
            continue
        for name, value in morning.given.items():
            if (morning.date, name) in aside:
                continue
            columns[name][index] = float(value)
            if name == "rmssd_ms":
                columns["ln_rmssd"][index] = log(value)
    in_baseline = columns["illness"] != 1.0
    for day in inputs.excluded_days:
        index = (day - first).days
        if 0 <= index < length:
            in_baseline[index] = False
    return Mornings(first, columns, in_baseline)
