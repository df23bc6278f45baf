"""A week's lifts: which regions, how hard, and how long their sets take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.periodization.domain.season import SeasonWeek
from shared.contract.sessions import EFFORTS, Effort, Region
from shared.contract.words import Level, Phase
from shared.messages.values import MAX_SESSION_MINUTES

MARK_MINUTES: Final = 5
"""Planned sessions last multiples of this: nobody plans 29 minutes."""


@dataclass(frozen=True, slots=True)
class PlannedLift:
    region: Region
    effort: Effort
    sets: float
    minutes: float


def planned_lifts(
    week: SeasonWeek, level: Level, tested: Sequence[Region], settings: Mapping[str, Any]
) -> tuple[PlannedLift, ...]:
    """The lifts of a week, leaving out those that strength tests of the regions ``tested`` stand in for.

    The week's lower and upper sets are shared out over the lifts that can hold them; where none can, one becomes a
    full-body lift, so no target is lost. A lift without any set is left out.
    """
    regions = _without(_split(week.lift_sessions, level, settings), tested)
    regions = _covering(regions, week)
    of_full = float(settings["full_body_leg_share"])
    for_legs = [{"lower": 1.0, "upper": 0.0}.get(region, of_full) for region in regions]
    lower = _share_out(week.lower_sets, for_legs)
    upper = _share_out(week.upper_sets, [1.0 - share for share in for_legs])
    efforts = _efforts(regions, week, level, settings)
    found = []
    for region, effort, sets in zip(regions, efforts, (a + b for a, b in zip(lower, upper, strict=True)), strict=True):
        if sets > 0.0:
            minutes = float(settings["lift_warm_up_minutes"]) + sets * float(settings["minutes_per_set"][effort])
            longest = min(float(settings["lift_minutes_most"]), float(MAX_SESSION_MINUTES))
            rounded = max(MARK_MINUTES, MARK_MINUTES * round(minutes / MARK_MINUTES))
            found.append(PlannedLift(region, effort, sets, float(min(rounded, longest))))
    return tuple(found)


def _split(count: int, level: Level, settings: Mapping[str, Any]) -> list[Region]:
    """Regions of ``count`` lifts; more than the longest template has begin again with its first."""
    templates: Mapping[str, Sequence[Region]] = settings["lift_split"][level]
    if count == 0:
        return []
    exact = templates.get(str(count))
    if exact is not None:
        return list(exact)
    longest = max(templates.values(), key=len)
    return [longest[place % len(longest)] for place in range(count)]


def _without(regions: list[Region], tested: Sequence[Region]) -> list[Region]:
    left = list(regions)
    for region in tested:
        if left:
            left.remove(region if region in left else left[-1])
    return left


def _covering(regions: list[Region], week: SeasonWeek) -> list[Region]:
    if not regions:
        return regions
    needed = {half for half, sets in (("lower", week.lower_sets), ("upper", week.upper_sets)) if sets > 0.0}
    if "full" not in regions and not needed <= set(regions):
        return ["full", *regions[1:]]
    return regions


def _share_out(sets: float, weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [sets * weight / total if total > 0.0 else 0.0 for weight in weights]


def _efforts(regions: Sequence[Region], week: SeasonWeek, level: Level, settings: Mapping[str, Any]) -> list[Effort]:
    """The first lift of a region is the week's hard one; a full-body lift counts for both halves."""
    by_turn: Mapping[str, Effort] = settings["lift_effort"][week.priority]
    ceilings: list[Effort] = [settings["effort_ceiling"][level]]
    legs_in_phase: Mapping[Phase, Effort] = settings["leg_effort_in_phase"]
    worked: set[str] = set()
    efforts: list[Effort] = []
    for region in regions:
        halves = {"lower", "upper"} if region == "full" else {region}
        wanted = by_turn["again"] if halves & worked else by_turn["first"]
        worked |= halves
        limits = list(ceilings)
        if region != "upper" and week.phase in legs_in_phase:
            limits.append(legs_in_phase[week.phase])
        efforts.append(min([wanted, *limits], key=EFFORTS.index))
    return efforts
