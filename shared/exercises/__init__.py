"""Which part of the body an exercise loads, from the data file beside this module. Nothing is guessed."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import yaml

from shared.contract.sessions import Region


def region_of(exercise: str) -> Region | None:
    """The region of ``exercise`` (case and outer spaces do not matter), or None when it is not mapped."""
    return _regions().get(exercise.strip().casefold())


def region_of_session(exercises: Iterable[str]) -> Region | None:
    """The region of a session with these exercises: the one that all share, else ``full``; None when none is mapped."""
    regions = {region for name in exercises if (region := region_of(name)) is not None}
    if not regions:
        return None
    return regions.pop() if len(regions) == 1 else "full"


def unmapped(exercises: Iterable[str]) -> tuple[str, ...]:
    """The names that the data file does not know, each once, in order of appearance."""
    return tuple(dict.fromkeys(name for name in exercises if region_of(name) is None))


@cache
def _regions() -> dict[str, Region]:
    text = files(__package__).joinpath("regions.yaml").read_text(encoding="utf-8")
    table: dict[Region, list[str]] = yaml.safe_load(text)
    return {name.casefold(): region for region, names in table.items() for name in names}
