"""Values of a morning that cannot be so: shown, and set aside from every baseline, mean and sign.

A value outside what a body can have says nothing about the athlete; nothing is changed or thrown away. That a possible
value is far from the athlete's own is another matter: ``charts`` sets single such days aside and believes a run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any, Final

from services.recovery.domain.inputs import MorningRecord
from services.recovery.domain.settings import RecoverySettings
from shared.contract.wellness import WELLNESS, WELLNESS_UNITS
from shared.contract.words import MorningQuality

MAX_TOLD: Final = 20
_NEARBY_DAYS: Final = 60
_FEWEST_NEARBY: Final = 5


@dataclass(frozen=True, slots=True)
class DoubtedItem:
    """One item of one morning, which is not counted."""

    code: MorningQuality
    day: date
    item: str
    text: str

    def as_json(self) -> dict[str, Any]:
        where = {"date": self.day.isoformat(), "item": self.item}
        return {"code": self.code, "where": where, "text": self.text, "set_aside": [self.item]}


def doubted_items(wellness: Iterable[MorningRecord], settings: RecoverySettings) -> tuple[DoubtedItem, ...]:
    """By day, then item. The order in which mornings are given changes nothing."""
    ordered = sorted(wellness, key=lambda morning: morning.date)
    return tuple(sorted(_doubted(ordered, settings), key=lambda one: (one.day, one.item)))


def shown(doubts: Iterable[DoubtedItem], on: date, days: int) -> dict[str, Any]:
    """``quality`` and ``quality_more`` of an answer about ``on``: of the days that its baselines reach back to."""
    recent = [doubt for doubt in doubts if on - timedelta(days=days) < doubt.day <= on]
    return {
        "quality": [doubt.as_json() for doubt in recent[-MAX_TOLD:]],
        "quality_more": max(0, len(recent) - MAX_TOLD),
    }


def _doubted(ordered: list[MorningRecord], settings: RecoverySettings) -> Iterator[DoubtedItem]:
    for item, body in settings.plausible_mornings.items():
        low, high, unit = body["from"], body["to"], WELLNESS[item].unit
        values = [(morning.date, float(morning.given[item])) for morning in ordered if item in morning.given]
        sound = [(day, value) for day, value in values if low <= value <= high]
        for day, value in values:
            if value == 0:
                text = f"{item} 0 means that it was not measured."
                yield DoubtedItem("zero-means-unknown", day, item, text)
            elif not low <= value <= high:
                other = next(
                    (name for name, factor in WELLNESS_UNITS[item].items() if low <= value * factor <= high), None
                )
                reading = f"; read as {other} it is {value * WELLNESS_UNITS[item][other]:.4g} {unit}" if other else ""
                text = f"{item} {value:g} {unit} is outside {low:g} to {high:g} {unit}, where a body's is{reading}."
                yield DoubtedItem("unit-mixed-up" if other else "implausible-value", day, item, text)
        for name, factor in WELLNESS_UNITS[item].items() if sound else ():
            yield from _of_unit(item, name, factor, sound, settings.unit_mixed_up_within)


def _of_unit(
    item: str, name: str, factor: float, sound: list[tuple[date, float]], near: float
) -> Iterator[DoubtedItem]:
    """Possible values that are the athlete's own in another unit: 165 after many of 75, as pounds among kilograms."""
    least, most = min(value for _, value in sound), max(value for _, value in sound)
    for day, value in sound:
        if not least * (1 - near) <= value * factor <= most * (1 + near):
            continue  # no median of them can be near; this spares looking for it at nearly every value
        before = [other for at, other in sound if 0 < (day - at).days <= _NEARBY_DAYS]
        own = median(before) if len(before) >= _FEWEST_NEARBY else value
        if abs(value * factor - own) <= near * own < abs(value - own):
            text = f"{item} {value:g} is far from the usual {own:.4g}; read as {name} it is {value * factor:.4g}."
            yield DoubtedItem("unit-mixed-up", day, item, text)
