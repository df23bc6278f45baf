"""How many demanding days in a row the week rules bear: asked of the rules once, before solving."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.scheduling.domain.calendar import Entry
from services.scheduling.domain.week_features import week_facts
from shared.rules.decisions import Rules
from shared.rules.model import Facts, Rule

_FEATURE = "hard_days_in_a_row"
_LONGEST_ROW = 14


@dataclass(frozen=True, slots=True)
class RowLimit:
    """``rule`` fires from ``days`` demanding days in a row on."""

    rule: Rule
    days: int


def ask_row_limits(calendar: Sequence[Entry], athlete: Facts, rules: Rules) -> tuple[RowLimit, ...]:
    """For each week rule that reads the row of demanding days, the shortest row at which it begins to fire.

    Everything else that week rules read is settled by which sessions the week holds, so it is asked as it stands.
    """
    facts = {**athlete, **week_facts(calendar, calendar)}
    questions = [{**facts, _FEATURE: float(days)} for days in range(_LONGEST_ROW + 1)]
    fired = [{one.id: one.rule for one in answer} for answer in rules.decide("sequencing", questions)]
    limits = []
    for days in range(1, _LONGEST_ROW + 1):
        for name, rule in fired[days].items():
            if name not in fired[days - 1] and rule.shape == "week":
                limits.append(RowLimit(rule, days))
    return tuple(limits)
