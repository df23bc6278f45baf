"""What readiness is assessed from, and the same as one column per measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import log
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.recovery.domain.windows import Floats
from shared.contract.words import LoadStatus, Stream
from shared.messages.values import PlannedSession
from shared.rules.model import Facts

ITEMS = ("fatigue", "soreness", "mood", "stress")
"""The answers that are compared with one's own last four weeks; of these only ``mood`` is better when higher."""


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
    """One morning as ``shared.messages.values.Wellness`` names it; None = not recorded."""

    @property
    def date(self) -> date: ...
    @property
    def rmssd_ms(self) -> float | None: ...
    @property
    def resting_hr(self) -> float | None: ...
    @property
    def sleep_hours(self) -> float | None: ...
    @property
    def sleep_quality(self) -> float | None: ...
    @property
    def soreness(self) -> float | None: ...
    @property
    def fatigue(self) -> float | None: ...
    @property
    def mood(self) -> float | None: ...
    @property
    def stress(self) -> float | None: ...
    @property
    def aches(self) -> bool | None: ...
    @property
    def body_mass_kg(self) -> float | None: ...
    @property
    def illness(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class ReadinessInputs:
    """Everything known on ``on``; records after it are not looked at. ``excluded_days``: sick and travel days;
    ``loads``: by day, for rules that ask what lasted; ``who``: the athlete's priority, level, phase and day strategy,
    for rules that are not for everybody."""

    on: date
    wellness: Sequence[MorningRecord] = ()
    excluded_days: frozenset[date] = frozenset()
    loads: Mapping[date, Mapping[Stream, StreamRatio]] = field(default_factory=dict)
    easy_runs: Sequence[EasyRun] = ()
    strength: Sequence[StrengthMark] = ()
    planned_today: Sequence[PlannedSession] = ()
    who: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mornings:
    """One column per measure, one entry per calendar day from ``first``; NaN = not recorded.

    ``aches`` and ``illness`` are 0 or 1. ``in_baseline`` is False on days that say nothing about normal: sick,
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


_COLUMNS = (
    "resting_hr",
    "sleep_hours",
    "sleep_quality",
    "soreness",
    "fatigue",
    "mood",
    "stress",
    "aches",
    "body_mass_kg",
    "illness",
)


def mornings(inputs: ReadinessInputs) -> Mornings:
    """The columns from the first record of any kind to ``on``. Two records of one date complete each other; where both
    carry a field the later in the given order counts."""
    days = [w.date for w in inputs.wellness] + [r.date for r in inputs.easy_runs] + [m.date for m in inputs.strength]
    first = min((day for day in days if day <= inputs.on), default=inputs.on)
    length = (inputs.on - first).days + 1
    columns: dict[str, Floats] = {name: np.full(length, np.nan) for name in (*_COLUMNS, "ln_rmssd")}
    for morning in inputs.wellness:
        index = (morning.date - first).days
        if not 0 <= index < length:
            continue
        for name in _COLUMNS:
            value = getattr(morning, name)
            if value is not None:
                columns[name][index] = float(value)
        if morning.rmssd_ms is not None:
            columns["ln_rmssd"][index] = log(morning.rmssd_ms)
    in_baseline = columns["illness"] != 1.0
    for day in inputs.excluded_days:
        index = (day - first).days
        if 0 <= index < length:
            in_baseline[index] = False
    return Mornings(first, columns, in_baseline)
