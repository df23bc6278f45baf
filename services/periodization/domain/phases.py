"""Blocks and phases: which goal a week works towards, and how far along the way it lies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.periodization.domain.calendar import SeasonCalendar
from shared.contract.words import Phase
from shared.messages.values import Goal


@dataclass(frozen=True, slots=True)
class Block:
    """Weeks ``first`` to ``last`` that lead to ``anchor``; without an anchor the rest of the season."""

    first: int
    last: int
    anchor: Goal | None

    @property
    def leads_to(self) -> str:
        return "none" if self.anchor is None else self.anchor.kind


def blocks(calendar: SeasonCalendar, weeks: int) -> tuple[Block, ...]:
    """The season cut at its anchors: A races; where none is left B races, then strength tests, then C races."""
    found: list[Block] = []
    first = 0
    while first < weeks:
        anchor = _anchor(calendar, first)
        last = weeks - 1 if anchor is None else calendar.index(anchor.date)
        found.append(Block(first, last, anchor))
        first = last + 1
    return tuple(found)


def _anchor(calendar: SeasonCalendar, index: int) -> Goal | None:
    races = calendar.races()
    ranked: Sequence[Sequence[Goal]] = (
        [race for race in races if race.goal_class == "A"],
        [race for race in races if race.goal_class == "B"],
        calendar.strength_tests(),
        races,
    )
    return next((goal for goals in ranked if (goal := calendar.next_of(goals, index)) is not None), None)


def training_phases(
    all_blocks: Sequence[Block], set_apart: Collection[int], settings: Mapping[str, Any]
) -> dict[int, Phase]:
    """Phase of every week that is not ``set_apart`` (taper, race, recovery), by the shares of its block's kind.

    A deload or test week keeps its place in the block, so that it shifts no phase.
    """
    phases: dict[int, Phase] = {}
    for block in all_blocks:
        weeks = [index for index in range(block.first, block.last + 1) if index not in set_apart]
        shares: Mapping[Phase, float] = settings["phase_shares"][block.leads_to]
        total = sum(shares.values())
        for place, index in enumerate(weeks):
            position = (place + 0.5) / len(weeks) * total
            reached = 0.0
            for phase, share in shares.items():
                phases[index] = phase
                reached += share
                if position < reached:
                    break
    return phases
