"""What an athlete's answers become under other rules: the decisions that change, in a coach's words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.rules.authoring.changed_decisions import (
    Differing,
    changed_plans,
    changed_readiness,
    changed_season,
    changed_verdicts,
)
from tandem.offline.pipeline import open_offline_athlete
from tandem.offline.replay import Answers, replay

RECENT_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Change:
    """One decision that differs. ``about``: the calendar, the day or the season's week."""

    file: str
    about: str
    sentence: str

    def as_json(self) -> dict[str, str]:
        return {"file": self.file, "about": self.about, "sentence": self.sentence}


def impact(
    file: Path,
    old: Path,
    new: Path,
    tenant: str | None,
    on: date | None,
    clock: Callable[[], date],
    weeks: int = RECENT_WEEKS,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Change, ...]:
    """The decisions on one athlete file that differ between rule folders ``old`` and ``new``.

    Compared are the last ``weeks`` weeks as they were done and each of their mornings, the week ahead as it was
    proposed or would be planned, and the season's weeks, as far as the file gives them. ``advance`` is called
    ``2 * PARTS`` times. Raises ``BadFile`` and ``RuleFileErrors``.
    """
    before, after = (
        _answers(file, folder, tenant=tenant, on=on, clock=clock, weeks=weeks, advance=advance) for folder in (old, new)
    )
    return tuple(Change(str(file), about, sentence) for about, sentence in _changes(before, after))


def _answers(
    file: Path,
    folder: Path,
    *,
    tenant: str | None,
    on: date | None,
    clock: Callable[[], date],
    weeks: int,
    advance: Callable[[], None],
) -> Answers:
    with open_offline_athlete(file, rules_dir=folder, tenant=tenant, on=on, clock=clock) as athlete:
        return replay(athlete, weeks, advance)


def _changes(old: Answers, new: Answers) -> Iterator[Differing]:
    """A calendar is told by its week, a morning by its day."""
    told: set[str] = set()
    for about in old.calendars:
        for _, sentence in changed_verdicts(old.calendars[about], new.calendars[about]):
            # A pair across the end of a week belongs to both weeks; once is enough. Verdicts are each week's own.
            if " becomes " in sentence or sentence not in told:
                yield about, sentence
            told.add(sentence)
    for about in old.plans:
        yield from ((about, sentence) for _, sentence in changed_plans(old.plans[about], new.plans[about]))
    for day in old.days:
        for _, sentence in changed_readiness(old.days[day], new.days[day]):
            yield f"morning of {day}", sentence
    if old.season is not None and new.season is not None:
        yield from changed_season(old.season, new.season)
