"""What is counted of one athlete who was played, and of many together with how sure that is."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from shared.contract.wellness import Better
from shared.rules.decisions import Rules
from tandem.offline.playing import Verdicts, play
from tandem.offline.populations import BEFORE, DAYS, FIRST, RAMP, made_up_athlete

RUNNING = 3
"""So many days running that are not full are a detection."""
WINDOW = RAMP + 10
"""A dose grows for ten days and is to be found within ten more."""
CHRONIC_FROM = 14
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Seen:
    """One athlete's counts. ``found_after``: days from the onset (of the well: from a day like one) to what counts as
    found, None = not within the window."""

    days: int
    held: int
    easy: int
    span_days: int
    span_held: int
    span_dangers: int
    span_triggers: int
    dangers: int
    triggers: int
    found_after: int | None
    first_held: bool
    late_full: int
    contradictions: int
    rules: Counter[str]


def see(population: str, number: int, seed: int, rules: Rules) -> Seen:
    athlete = made_up_athlete(population, number, seed)
    day_of = [FIRST + timedelta(days=index) for index in range(DAYS)]
    played = play(athlete.file, rules, day_of[BEFORE], day_of[-1])
    spans = {day_of[index] for first, last in athlete.spans for index in range(first, min(last, DAYS - 1) + 1)}
    onset = BEFORE + 14 + number * 7 % 42 if athlete.onset is None else athlete.onset
    days = played.days
    held = [day.intensity != "full" for day in days]
    within = [day.date in spans for day in days]
    dangers = ["danger" in day.bands.values() for day in days]
    fired = Counter(rule for day in days for rule in day.rules)
    fired.update(rule for _, named in played.triggers for rule in named)
    return Seen(
        days=len(days),
        held=sum(held),
        easy=sum(day.intensity == "easy" for day in days),
        span_days=sum(within),
        span_held=sum(h and w for h, w in zip(held, within, strict=True)),
        span_dangers=sum(d and w for d, w in zip(dangers, within, strict=True)),
        span_triggers=sum(day in spans for day, _ in played.triggers),
        dangers=sum(dangers),
        triggers=len(played.triggers),
        found_after=found_after(played, day_of[onset]),
        first_held=days[onset - BEFORE].intensity != "full",
        late_full=sum(day.date >= day_of[onset] + timedelta(days=CHRONIC_FROM) and not h
                      for day, h in zip(days, held, strict=True)),
        contradictions=sum(
            (day.colour == "green" and h) or ((day.colour == "red" or day.action == "pull-back") and not h)
            for day, h in zip(days, held, strict=True)
        ),
        rules=fired,
    )  # fmt: skip


def found_after(played: Verdicts, onset: date) -> int | None:
    """Days to an early deload, a pull-back or the third of three days running that are not full."""
    window = range(WINDOW)
    found = [(day - onset).days for day, _ in played.triggers if (day - onset).days in window]
    running = 0
    for day in played.days:
        after = (day.date - onset).days
        if after not in window:
            continue
        running = 0 if day.intensity == "full" else running + 1
        if running >= RUNNING or day.action == "pull-back":
            found.append(after)
    return min(found, default=None)


def wilson(hits: int, of: int) -> tuple[float, float, float]:
    """Share and its 95 % score interval (Wilson 1927)."""
    if of == 0:
        return math.nan, math.nan, math.nan
    share = hits / of
    middle = (share + Z95**2 / (2 * of)) / (1 + Z95**2 / of)
    half = Z95 * math.sqrt(share * (1 - share) / of + Z95**2 / (4 * of**2)) / (1 + Z95**2 / of)
    return share, max(0.0, middle - half), min(1.0, middle + half)


def share_of_days(
    people: Sequence[Seen], days: Callable[[Seen], int], of: Callable[[Seen], int]
) -> tuple[float, float, float]:
    """Share of all days, with a 95 % interval over athletes: one athlete's days are no independent looks."""
    total, count = sum(map(of, people)), len(people)
    if total == 0:
        return math.nan, math.nan, math.nan
    share = sum(map(days, people)) / total
    residual = math.fsum((days(one) - share * of(one)) ** 2 for one in people)
    half = Z95 * math.sqrt(residual * count / (count - 1)) / total if count > 1 else math.nan
    return share, max(0.0, share - half), min(1.0, share + half)


@dataclass(frozen=True, slots=True)
class Tried:
    """Of how many athletes something is true under two packs; ``changed``: under one of them only."""

    population: str
    count: str
    old: int
    new: int
    changed: int
    of: int
    better: Better

    @property
    def sentence(self) -> str:
        _, low, high = wilson(self.new, self.of)
        verdict = "better" if (self.new > self.old) == (self.better == "higher") else "worse"
        return (
            f"{self.population}: {self.count}: {self.old} of {self.of} athletes, now {self.new} "
            f"(95 % {100 * low:.0f} to {100 * high:.0f} %), {verdict if self.new != self.old else 'others'}"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_Count = tuple[str, Callable[[Seen], bool], Better]
_OF_THE_WELL: Final[tuple[_Count, ...]] = (
    ("an early deload", lambda one: one.triggers > 0, "lower"),
    ("held back on more than 4 % of days", lambda one: one.held > 0.04 * one.days, "lower"),
    ("called danger on a day or more", lambda one: one.dangers > 0, "lower"),
    ("taken for overreached within 20 days", lambda one: one.found_after is not None, "lower"),
)
_OF_THE_TIRED: Final[tuple[_Count, ...]] = (
    ("found within 20 days", lambda one: one.found_after is not None, "higher"),
)
_OF_THE_ILL: Final[tuple[_Count, ...]] = (("held back on the first morning", lambda one: one.first_held, "higher"),)
TRIED: Final[Mapping[str, tuple[_Count, ...]]] = {
    **dict.fromkeys(("healthy", "healthy_rho", "cycle", "growing", "break", "taper_race"), _OF_THE_WELL),
    **dict.fromkeys(("overreached", "overreached_75", "chronic"), _OF_THE_TIRED),
    "ill": _OF_THE_ILL,
}
"""What is counted of the populations that an edit is tried on; the others are these, recorded otherwise."""


def tried(
    old: Rules, new: Rules, populations: Iterable[str], athletes: int, seed: int, done: Callable[[], None]
) -> list[Tried]:
    """The same athletes under both; ``done`` is called after each."""
    found = []
    for name in populations:
        pairs: list[tuple[Seen, Seen]] = []
        for number in range(athletes):
            pairs.append((see(name, number, seed, old), see(name, number, seed, new)))
            done()
        for count, holds, better in TRIED[name]:
            told = [(holds(before), holds(after)) for before, after in pairs]
            changed = sum(before != after for before, after in told)
            was, now = (sum(column) for column in zip(*told, strict=True))
            found.append(Tried(name, count, was, now, changed, athletes, better))
    return found
