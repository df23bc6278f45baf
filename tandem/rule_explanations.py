"""Why each rule fires on an athlete file, or why not: the comparison that settled it, by how much, and the way out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.scheduling.domain import check_week
from services.scheduling.domain.calendar import athlete_facts, by_week, entries_of, pair_facts
from services.scheduling.domain.verdict import LegalStart
from services.scheduling.domain.week_features import week_facts
from shared.rules.explain import Cause, Explanation, explain
from shared.rules.history import facts_of_day
from shared.rules.lasting import lasting_leaves
from shared.rules.model import Facts, PackKind, Rule
from shared.rules.situations import leaves
from shared.rules.vocabulary import FEATURES
from tandem.offline import OfflineAthlete

if TYPE_CHECKING:
    from services.periodization.domain import SeasonWeek

DAY_PACKS: tuple[PackKind, ...] = ("recovery", "deload", "periodization")
_MOST_WEEKS = 4


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """One rule's answer. ``about``: the sessions, week or day asked about; of a silent rule the nearest miss."""

    pack: str
    rule: Rule
    about: str
    explanation: Explanation
    way_out: LegalStart | None = None
    nearest_miss: bool = False

    @property
    def answer(self) -> str:
        return {True: "fires", False: "silent", None: "unknown"}[self.explanation.answer]

    def as_json(self) -> dict[str, Any]:
        return {
            "pack": self.pack,
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": self.rule.severity,
            "answer": self.answer,
            "about": self.about,
            "nearest_miss": self.nearest_miss,
            "why": self.explanation.text,
            "causes": [
                {"feature": cause.feature, "answer": cause.answer, "margin": cause.margin, "text": cause.text}
                for cause in self.explanation.causes
            ],
            "nearest_legal_start": self.way_out.as_json() if self.way_out else None,
        }


def explain_rules(athlete: OfflineAthlete) -> Iterator[RuleExplained]:
    """Every rule that the file can be asked: sequencing on the proposed week, recovery and deload on today, the
    season's on its weeks, advice on the run after the lift; in the packs' order."""
    if athlete.file.week is not None and athlete.file.week.sessions:
        yield from _sequencing(athlete)
    has_athlete = athlete.file.athlete is not None
    weeks = _season_weeks(athlete) if has_athlete else ()
    history = athlete.day_history() if has_athlete else {}
    for kind in DAY_PACKS:
        pack = athlete.rules.pack(kind)
        for rule in pack.rules:
            if _about_the_season(rule):
                if weeks:
                    yield RuleExplained(pack.id, rule, f"season of {len(weeks)} weeks", _in_weeks(rule, weeks))
            elif rule.shape == "athlete" and history:
                facts = facts_of_day(tuple(lasting_leaves(rule.when)), history, athlete.on)
                yield RuleExplained(pack.id, rule, f"{athlete.on}", explain(rule, facts))
    asked = athlete.advice_facts()
    if asked is not None:
        pack = athlete.rules.pack("advice")
        yield from (RuleExplained(pack.id, rule, "run after the lift", explain(rule, asked)) for rule in pack.rules)


def _season_weeks(athlete: OfflineAthlete) -> "Sequence[SeasonWeek]":
    return athlete.season().weeks if athlete.file.season is not None or athlete.file.goals else ()


def _about_the_season(rule: Rule) -> bool:
    """Whether only a season's plan can say: its weeks are counted from its start, not read from a day."""
    return rule.shape == "season" or any(
        "season" in FEATURES[leaf.feature].shapes and "pair" not in FEATURES[leaf.feature].shapes
        for leaf in leaves(rule.when)
    )


def _in_weeks(rule: Rule, weeks: "Sequence[SeasonWeek]") -> Explanation:
    """In which of the season's weeks the rule decided."""
    fired = [week for week in weeks if any(decided.rule == rule.id for decided in week.decided_by)]
    said = ", ".join(str(week.start) for week in fired[:_MOST_WEEKS]) + (", …" if len(fired) > _MOST_WEEKS else "")
    text = f"decides the weeks of {said}" if fired else "decides none of its weeks"
    return Explanation(rule.id, bool(fired), (Cause("week", bool(fired), None, text),))


def _sequencing(athlete: OfflineAthlete) -> Iterator[RuleExplained]:
    profile, sessions, context = athlete.proposal()
    limits, windows = athlete.file.limits, athlete.file.availability
    verdict = check_week(sessions, profile, athlete.rules, limits=limits, context=context, windows=windows)
    ways_out = {(f.rule, f.sessions): f.nearest_legal_start for f in verdict.violations}
    entries = entries_of(sessions, context, profile.zone if profile else None)
    who = athlete_facts(profile)
    pairs = [
        (f"{first.id} then {then.id}", (first.id, then.id), pair_facts(first, then, who))
        for index, first in enumerate(entries)
        for then in entries[index + 1 :]
        if not (first.context and then.context)
    ]
    weeks = [
        (f"week of {monday}", (), {**who, **week_facts(week, entries)})
        for monday, week in by_week(entries).items()
        if any(not entry.context for entry in week)
    ]
    pack = athlete.rules.pack("sequencing")
    for rule in pack.rules:
        asked: Sequence[tuple[str, tuple[str, ...], Facts]] = pairs if rule.shape == "pair" else weeks
        answers = [(about, ids, explain(rule, facts)) for about, ids, facts in asked]
        fired = [answer for answer in answers if answer[2].answer is True]
        for about, ids, explanation in fired or _nearest_miss(answers):
            way_out, missed = ways_out.get((rule.id, ids)), not fired and len(asked) > 1
            yield RuleExplained(pack.id, rule, about, explanation, way_out, missed)


def _nearest_miss(
    answers: Sequence[tuple[str, tuple[str, ...], Explanation]],
) -> list[tuple[str, tuple[str, ...], Explanation]]:
    """What a coach asks about first: what nobody knows, then what failed by numbers alone and by the least."""

    def distance(answer: tuple[str, tuple[str, ...], Explanation]) -> tuple[bool, int, float]:
        causes = answer[2].causes
        words = sum(cause.margin is None for cause in causes)
        return (answer[2].answer is False, words, sum(abs(cause.margin or 0.0) for cause in causes))

    return sorted(answers, key=distance)[:1]


def show(explained: Mapping[str, Any]) -> Iterator[str]:
    """One rule's answer as lines of text: what it is, what settled it, the way out."""
    yield f"{explained['answer']:<8}{explained['rule']} ({explained['severity']}): {explained['title']}"
    nearest = "nearest miss: " if explained["answer"] == "silent" and explained["nearest_miss"] else ""
    yield f"        {nearest}{explained['about']}: {explained['why']}"
    way_out = explained["nearest_legal_start"]
    if way_out:
        yield f"        nearest legal start: {way_out['session']} on {_clock(way_out['start'])}"


def show_all(explained: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Pack after pack; the rules that nobody can answer come last, a line each."""
    for pack in dict.fromkeys(one["pack"] for one in explained):
        yield pack
        of_pack = [one for one in explained if one["pack"] == pack]
        for one in of_pack:
            if one["answer"] != "unknown":
                yield from (f"  {line}" for line in show(one))
        for one in of_pack:
            if one["answer"] == "unknown":
                yield f"  unknown {one['rule']} ({one['severity']}): {one['why']}"


def _clock(start: str) -> str:
    return f"{datetime.fromisoformat(start):%a %d %b %H:%M}"
