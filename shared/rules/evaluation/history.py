"""What was so on the days before, as facts of one day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from shared.rules.evaluation.reference_evaluator import compare
from shared.rules.model import Facts, Leaf, Scalar, derived_feature


def facts_of_day(leaves: Sequence[Leaf], history: Mapping[date, Facts], day: date) -> dict[str, Scalar | None]:
    """The facts of ``day`` and whether each of the lasting ``leaves`` has held on each of its days up to ``day``.

    An unrecorded day is unknown; one day on which a leaf did not hold settles it, whatever else is unknown.
    """
    (facts,) = facts_of_days(leaves, history, [day])
    return facts


def facts_of_days(
    leaves: Sequence[Leaf], history: Mapping[date, Facts], days: Sequence[date]
) -> list[dict[str, Scalar | None]]:
    """``facts_of_day`` of each of ``days``. Each leaf is compared once with each day, however many days look back to
    it: a season asks for hundreds."""
    found: list[dict[str, Scalar | None]] = [dict(history.get(day, {})) for day in days]
    for leaf in leaves:
        today, name, reach = replace(leaf, lasting_days=None), derived_feature(leaf), leaf.lasting_days or 1
        held = {day.toordinal(): compare(today, facts) for day, facts in history.items()}
        for facts, day in zip(found, days, strict=True):
            last = day.toordinal()
            known = [held.get(one) for one in range(last - reach + 1, last + 1)]
            facts[name] = False if False in known else None if None in known else True
    return found


def days_held(leaf: Leaf, history: Mapping[date, Facts], day: date) -> int:
    """For how many days up to ``day`` a lasting leaf's comparison has held, counted no further than the history."""
    today = replace(leaf, lasting_days=None)
    held = 0
    while compare(today, history.get(day - timedelta(days=held), {})) is True:
        held += 1
    return held
