"""Why the sequencing rules let a week's calendar pass or not: the week as proposed, or as it would be planned."""

from collections.abc import Iterator, Sequence

from services.scheduling.domain.calendar import by_week, entries_of, pair_facts
from services.scheduling.domain.week_features import week_facts
from services.scheduling.domain.week_plan import WeekPlan
from services.scheduling.use_cases.gather import NOBODY, CheckInputs
from shared.rules.athlete_facts import athlete_facts
from shared.rules.decisions import Rules
from shared.rules.evaluation.explain import Cause, Explanation, explain
from shared.rules.model import Facts
from tandem.athlete_file import BadFile
from tandem.offline.explained_rule import Answer, NotAsked, RuleExplained, nearest_miss
from tandem.offline.pipeline import OfflineAthlete


def explained_week(athlete: OfflineAthlete) -> Iterator[RuleExplained | NotAsked]:
    """Every sequencing rule on the proposed week; where sessions have no start yet, on the week as it is planned."""
    pack = athlete.rules.pack("sequencing")
    names = tuple(rule.id for rule in pack.rules)
    if athlete.proposes_calendar:
        yield from _on_calendar(athlete.proposal(), athlete.rules, "")
        return
    if athlete.file.week is None and athlete.file.season is None and not athlete.file.goals:
        yield NotAsked(pack.id, names, "the file has no 'week', no 'season' and no 'goals' to plan one from")
        return
    try:
        plan = athlete.week()
    except BadFile as error:
        yield NotAsked(pack.id, names, "; ".join(problem.message for problem in error.problems))
        return
    if plan.status == "undecided":
        yield NotAsked(pack.id, names, "within the work that a week may cost no calendar was found")
        return
    if plan.status == "infeasible":
        yield from _without_calendar(athlete, plan)
        return
    placed = [one.standing for one in plan.sessions]
    if not placed:
        yield NotAsked(pack.id, names, f"the week of {plan.week_start} has no sessions")
        return
    yield from _on_calendar(athlete.proposed(placed), athlete.rules, ", as planned")


def _on_calendar(calendar: CheckInputs, rules: Rules, how: str) -> Iterator[RuleExplained]:
    verdict = calendar.verdict(rules)
    sessions, profile = calendar.sessions, calendar.profile
    ways_out = {(f.rule, f.sessions): f.nearest_legal_start for f in verdict.violations}
    starts_on = (profile or NOBODY).week_starts_on
    entries = entries_of(sessions, calendar.context, profile.zone if profile else None, starts_on)
    who = athlete_facts(profile)
    pairs = [
        (f"{first.id} then {then.id}{how}", (first.id, then.id), pair_facts(first, then, who))
        for index, first in enumerate(entries)
        for then in entries[index + 1 :]
        if not (first.context and then.context)
    ]
    pairs.sort(key=lambda pair: abs(float(pair[2]["gap_hours"] or 0.0)))
    weeks: list[tuple[str, tuple[str, ...], Facts]] = [
        (f"week of {start}{how}", (), {**who, **week_facts(week, entries)})
        for start, week in by_week(entries, starts_on).items()
        if any(not entry.context for entry in week)
    ]
    pack = rules.pack("sequencing")
    for rule in pack.rules:
        asked: Sequence[tuple[str, tuple[str, ...], Facts]] = pairs if rule.shape == "pair" else weeks
        answers: list[Answer] = [
            (about, ids, explain(rule, facts, (ids[0], ids[1]) if ids else None)) for about, ids, facts in asked
        ]
        if not answers:
            alone = Cause("sessions", False, None, "one session alone, needs two")
            yield RuleExplained(pack.id, rule, sessions[0].id, Explanation(rule.id, False, (alone,)))
        fired = [answer for answer in answers if answer[2].answer is True]
        for about, ids, explanation in fired or nearest_miss(answers):
            way_out, missed = ways_out.get((rule.id, ids)), not fired and len(asked) > 1
            yield RuleExplained(pack.id, rule, about, explanation, way_out, missed)


def _without_calendar(athlete: OfflineAthlete, plan: WeekPlan) -> Iterator[RuleExplained | NotAsked]:
    """The week cannot be placed: the rules of the minimal conflict speak, the others have no calendar to look at."""
    pack = athlete.rules.pack("sequencing")
    against = {member.id for member in plan.conflict if member.kind == "rule"}
    others = "; ".join(member.message for member in plan.conflict if member.kind != "rule")
    for rule in pack.rules:
        if rule.id in against:
            cause = Cause("week", True, None, f"leaves no calendar together with: {others}")
            yield RuleExplained(pack.id, rule, f"week of {plan.week_start}", Explanation(rule.id, True, (cause,)))
    rest = tuple(rule.id for rule in pack.rules if rule.id not in against)
    told = "; ".join(member.message for member in plan.conflict)
    reason = "the week cannot be placed, so there is no calendar to look at"
    yield NotAsked(pack.id, rest, reason if against else f"{reason}: {told}")
