"""Why the rules of a season decide a week, or which week came nearest and by how much it missed."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from shared.contract.words import PackKind
from shared.rules.evaluation.explain import Cause, Explanation, explain
from shared.rules.model import Pack, Rule
from tandem.offline.explained_rule import RuleExplained, nearest_miss

if TYPE_CHECKING:
    from services.periodization.domain import Season

_MAX_WEEKS_NAMED = 4


def explained_in_season(rule: Rule, kind: PackKind, pack: Pack, season: "Season") -> Iterator[RuleExplained]:
    """A rule that is asked about weeks: what settled the first week that it decides, else its nearest miss."""
    weeks = [week.start for week in season.weeks]
    whole = f"season of {len(weeks)} weeks"
    fired = [week.start for week in season.weeks if any(decided.rule == rule.id for decided in week.decided_by)]
    asked = {start: [facts for asked, facts in season.asked.get(start, ()) if asked == kind] for start in weeks}
    if fired:
        why = [one for facts in asked[fired[0]] if (one := explain(rule, facts)).answer is True]
        causes = why[0].causes if why else ()
        decides = Cause("week", True, None, f"decides {_weeks(fired)}")
        yield RuleExplained(pack.id, rule, whole, Explanation(rule.id, True, (decides, *causes)))
        return
    answers = [
        (f"week of {start}", (), _none_where_unknown(explain(rule, facts)))
        for start, questions in asked.items()
        for facts in questions
    ]
    # Of a season a fact that is absent means that there is none, such as no taper; what is known tells more.
    known = [answer for answer in answers if all(cause.answer is not None for cause in answer[2].causes)]
    for about, _, explanation in nearest_miss(known or answers):
        yield RuleExplained(pack.id, rule, about, explanation, nearest_miss=len(weeks) > 1)


def early_in_season(rule: Rule, pack: Pack, season: "Season") -> Iterator[RuleExplained]:
    """A rule of the day that has already moved a week of the season, whatever it says today."""
    fired = [week.start for week in season.weeks if any(decided.rule == rule.id for decided in week.decided_by)]
    if fired:
        cause = Cause("week", True, None, f"decides {_weeks(fired)}")
        yield RuleExplained(pack.id, rule, f"season of {len(season.weeks)} weeks", Explanation(rule.id, True, (cause,)))


def _weeks(starts: Sequence[date]) -> str:
    said = ", ".join(str(start) for start in starts[:_MAX_WEEKS_NAMED])
    more = len(starts) - _MAX_WEEKS_NAMED
    return f"the week{'s' if len(starts) > 1 else ''} of {said}" + (f" and {more} more" if more > 0 else "")


def _none_where_unknown(explanation: Explanation) -> Explanation:
    causes = tuple(
        Cause(cause.feature, None, None, re.sub("( is|:) unknown$", ": none", cause.text))
        if cause.answer is None
        else cause
        for cause in explanation.causes
    )
    return Explanation(explanation.rule, False, causes)
