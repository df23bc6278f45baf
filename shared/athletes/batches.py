"""Several messages about athletes handled at once: each athlete's row is read once, and what follows is worked out once
for each, when all messages are written down."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from shared.athletes.store import AthleteStore, Row
from shared.bus.routes import Accepted, Call, Context, Effect, Forgotten, Incoming, Rejected, accepted
from shared.bus.rule_routes import Comparison, changes_of, compare_each
from shared.messages.rule_packs import DecisionChanged
from shared.messages.validation import Problem
from shared.messages.values import Profile

ATHLETES_READ_AT_ONCE = 20
AHEAD_AT_MOST: Final = timedelta(days=1)
EARLIEST_ZONE: Final = timedelta(hours=14)
"""Where days begin first: UTC+14."""
Moments = Callable[[Any], Iterable[tuple[str, date]]]
Inputs = TypeVar("Inputs")


@dataclass(slots=True)
class AthleteBatch(Generic[Row]):
    """One athlete's messages of a batch. ``context``: of the last one that made an assessment necessary;
    ``changed_from``: the earliest day of which something else is known now."""

    row: Row
    profile: Profile | None
    context: Context
    is_due: bool = False
    changed_from: date | None = None

    @property
    def athlete(self) -> str:
        return self.row.athlete

    def due(self, context: Context, changed_from: date | None = None) -> None:
        """The athlete's today has to be assessed once all messages are written down."""
        self.context, self.is_due = context, True
        if changed_from is not None and (self.changed_from is None or changed_from < self.changed_from):
            self.changed_from = changed_from


Batch = TypeVar("Batch", bound=AthleteBatch[Any])
Came = Effect | Mapping[str, Effect]
"""Of a command, or of each of its items by id."""


def record_each(
    store: AthleteStore[Row],
    calls: Sequence[Call],
    begin: Callable[[Row, Profile | None, Context], Batch],
    record: Callable[[Batch, Context, Incoming[Any]], Came | None],
    are_events: bool = False,
    moments: Moments = lambda body: (),
) -> tuple[list[Accepted | Rejected | None], list[Batch]]:
    """``record`` writes one message down and says what came of it (of an event: None); the outcomes of all, and of each
    athlete what they make necessary.

    ``are_events``: another service's, which about an erased athlete do not count until the athlete is put again.
    ``moments``: those of a body, each with its pointer, that lie in the past; a message with one ahead is rejected.
    """
    erased = store.erased({incoming.body.athlete for _, incoming in calls})

    def is_ignored(incoming: Incoming[Any]) -> bool:
        erasure = erased.get(incoming.body.athlete)
        if erasure is None:
            return False
        return store.is_erased(incoming.body.athlete, incoming.time) if are_events else erasure.sent >= incoming.time

    ignored: list[Accepted | Rejected | None] = [
        _ahead(context, moments(incoming.body)) or (Forgotten() if is_ignored(incoming) else None)
        for context, incoming in calls
    ]
    rows = store.locked_athletes(
        incoming.body.athlete for (_, incoming), skip in zip(calls, ignored, strict=True) if skip is None
    )
    batches: dict[str, Batch] = {}
    outcomes: list[Accepted | Rejected | None] = []
    for (context, incoming), skip in zip(calls, ignored, strict=True):
        if skip is not None:
            outcomes.append(skip)
            continue
        row = rows[incoming.body.athlete]
        batch = batches.get(row.athlete)
        if batch is None:
            batch = batches[row.athlete] = begin(row, row.profile, context)
        came = record(batch, context, incoming)
        outcomes.append(None if came is None else accepted(came, batch.profile is not None))
    return outcomes, list(batches.values())


def _ahead(context: Context, moments: Iterable[tuple[str, date]]) -> Rejected | None:
    """Of what cannot have been done yet. A day that has begun somewhere on earth is not ahead."""
    now = context.now()
    latest, last_day = now + AHEAD_AT_MOST, (now + AHEAD_AT_MOST + EARLIEST_ZONE).date()
    problems = [
        Problem(pointer, "future", f"{when} is more than a day ahead of this service's clock, {now:%Y-%m-%d %H:%M}Z")
        for pointer, when in moments
        if (when > latest if isinstance(when, datetime) else when > last_day)
    ]
    return Rejected(problems) if problems else None


def assess_each(
    store: AthleteStore[Row],
    batches: Iterable[AthleteBatch[Row]],
    gather: Callable[[Mapping[str, tuple[Profile, date]]], Mapping[str, Inputs]],
    assess: Callable[[AthleteBatch[Row], Profile, date, Inputs], None],
) -> None:
    """``assess`` each athlete's today where that is due; some are gathered for at once. All that was recorded must have
    been flushed."""
    due = [
        (one, one.profile, one.profile.day_of(one.context.now()))
        for one in batches
        if one.is_due and one.profile is not None
    ]
    with store.db.no_autoflush:
        for start in range(0, len(due), ATHLETES_READ_AT_ONCE):
            part = due[start : start + ATHLETES_READ_AT_ONCE]
            inputs = gather({one.athlete: (profile, today) for one, profile, today in part})
            for one, profile, today in part:
                assess(one, profile, today, inputs[one.athlete])


DAYS_COMPARED: Final = 7


def compare_days(
    context: Context,
    store: AthleteStore[Any],
    athletes: Sequence[str],
    differing: Callable[[str, Profile, Sequence[date]], Iterable[tuple[str, str]]],
) -> Comparison:
    """Today and the six days before, of one athlete after the other. ``differing``: what is about what day, and the
    sentence that says it."""

    def changes_for(athlete: str) -> list[DecisionChanged] | None:
        profile = store.profile_of(athlete)
        if profile is None:
            return None
        today = profile.day_of(context.now())
        days = [today - timedelta(days=ago) for ago in range(DAYS_COMPARED - 1, -1, -1)]
        return changes_of(athlete, differing(athlete, profile, days))

    return compare_each(athletes, changes_for)
