"""What a morning may report: every item once, with its range, its unit, which way is better and what comes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from annotated_types import BaseMetadata, Ge, GroupedMetadata, Gt, Le
from pydantic import BaseModel

from shared.contract.words import STREAMS, Unit

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(GroupedMetadata):
    """One item; without a range it is a yes or no.

    ``better``: which way is good, None = neither by itself. What it does for readiness: ``usual``: it is a factor of
    its own name, compared with the athlete's last four weeks; ``factor``: it enters this one, which has a formula of
    its own in ``services/recovery/domain/factors.py``. ``asked``: what it means to a rule that asks for it by name;
    None: rules ask for what is computed from it. ``units``: others that it is given in by mistake, with what makes the
    right one of them; a value in the range that no body has is stored, shown and set aside.
    """

    unit: Unit | None = None
    above: float | None = None
    least: float | None = None
    most: float | None = None
    better: Better | None = None
    usual: bool = False
    factor: str | None = None
    asked: str | None = None
    units: tuple[tuple[str, float], ...] = ()

    @property
    def flag(self) -> bool:
        return self.most is None

    def __iter__(self) -> Iterator[BaseMetadata]:
        """The range as pydantic checks it."""
        if self.above is not None:
            yield Gt(self.above)
        if self.least is not None:
            yield Ge(self.least)
        if self.most is not None:
            yield Le(self.most)


def _answer(better: Better, name: str, *, usual: bool = True, factor: str | None = None) -> Item:
    """A question answered by 1 to 5."""
    asked = f"{name} as reported, 1 to 5"
    return Item(unit="points", least=1, most=5, better=better, usual=usual, factor=factor, asked=asked)


class WellnessItems(BaseModel):
    """The items of one morning; None = not reported."""

    rmssd_ms: (
        Annotated[float, Item(unit="ms", least=0, most=1000, better="higher", factor="hrv", units=(("s", 1000),))]
        | None
    ) = None
    resting_hr: Annotated[float, Item(unit="bpm", least=0, most=300, better="lower", factor="resting_hr")] | None = None
    sleep_hours: (
        Annotated[
            float,
            Item(
                unit="h",
                least=0,
                most=1440,
                better="higher",
                factor="sleep",
                asked="sleep of last night",
                units=(("min", 1 / 60),),
            ),
        ]
        | None
    ) = None
    sleep_quality: Annotated[int, _answer("higher", "sleep quality", usual=False, factor="sleep")] | None = None
    soreness: Annotated[int, _answer("lower", "soreness")] | None = None
    fatigue: Annotated[int, _answer("lower", "fatigue")] | None = None
    mood: Annotated[int, _answer("higher", "mood")] | None = None
    stress: Annotated[int, _answer("lower", "stress")] | None = None
    aches: Annotated[bool, Item(asked="reported aches this morning")] | None = None
    body_mass_kg: Annotated[float, Item(unit="kg", least=0, most=1100, units=(("lb", 0.45359237),))] | None = None
    illness: Annotated[bool, Item(asked="reported ill this morning")] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was reported, by item."""
        return {name: value for name in WELLNESS if (value := getattr(self, name)) is not None}


def _item(annotation: Any) -> Item:
    reported, _ = get_args(annotation)
    return next(one for one in get_args(reported) if isinstance(one, Item))


WELLNESS: Mapping[str, Item] = {name: _item(field.annotation) for name, field in WellnessItems.model_fields.items()}
WELLNESS_UNITS: Mapping[str, Mapping[str, float]] = {name: dict(item.units) for name, item in WELLNESS.items()}
USUAL_ITEMS: tuple[str, ...] = tuple(name for name, item in WELLNESS.items() if item.usual)
MORNING_FACTORS: tuple[str, ...] = tuple(
    dict.fromkeys(factor for name, item in WELLNESS.items() if (factor := name if item.usual else item.factor))
)
FACTORS: tuple[str, ...] = (*MORNING_FACTORS, *(f"load_{stream}" for stream in STREAMS))
"""What readiness is made of, in the order in which it is told."""

Sign = Literal[
    "resting_hr", "hrv", "sleep", "soreness", "fatigue", "stress", "mood", "aches", "effort", "strength", "body_mass"
]
"""Signs of overreaching. One that bears the name of a ``usual`` item is present where its answer is poor."""
SIGNS: tuple[Sign, ...] = get_args(Sign)
