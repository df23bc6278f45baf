"""What was so on the days before, as facts of one day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from shared.rules.lasting import derived_feature
from shared.rules.model import Facts, Leaf, Scalar
from shared.rules.reference import compare


def facts_of_day(leaves: Sequence[Leaf], history: Mapping[date, Facts], day: date) -> dict[str, Scalar | None]:
    """The facts of ``day`` and whether each of the lasting ``leaves`` has held on each of its days up to ``day``.

    An unrecorded day is unknown; one day on which a leaf did not hold settles it, whatever else is unknown.
    """
    facts: dict[str, Scalar | None] = dict(history.get(day, {}))
    for leaf in leaves:
        today = replace(leaf, lasting_days=None)
        days = (day - timedelta(days=back) for back in range(leaf.lasting_days or 1))
        known = [compare(today, history.get(one, {})) for one in days]
        facts[derived_feature(leaf)] = False if False in known else None if None in known else True
    return facts


def days_held(leaf: Leaf, history: Mapping[date, Facts], day: date) -> int:
    """For how many days up to ``day`` a lasting leaf's comparison has held, counted no further than the history."""
    today = replace(leaf, lasting_days=None)
    held = 0
    while compare(today, history.get(day - timedelta(days=held), {})) is True:
        held += 1
    return held
