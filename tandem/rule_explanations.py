"""Why each rule fires on an athlete file, or why not: the comparison that settled it, by how much, and the way out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.scheduling.domain import check_week
from services.scheduling.domain.calendar import athlete_facts, by_week, entries_of, pair_facts
from services.scheduling.domain.verdict import LegalStart
from services.scheduling.domain.week_features import week_facts
from shared.rules.explain import Explanation, explain
from shared.rules.history import facts_of_day
from shared.rules.lasting import lasting_leaves
from shared.rules.model import Facts, PackKind, Rule
from tandem.offline import OfflineAthlete

ATHLETE_PACKS: tuple[PackKind, ...] = ("recovery", "deload")


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """One rule's answer. ``about``: the sessions, week or day asked about; of a silent rule the nearest miss."""

    pack: str
    rule: Rule
    about: str
    explanation: Explanation
    way_out: LegalStart | None = None

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
            "why": self.explanation.text,
            "causes": [
                {"feature": cause.feature, "answer": cause.answer, "margin": cause.margin, "text": cause.text}
                for cause in self.explanation.causes
            ],
            "nearest_legal_start": self.way_out.as_json() if self.way_out else None,
        }


def explain_rules(athlete: OfflineAthlete) -> Iterator[RuleExplained]:
    """Every sequencing rule on the proposed week, every recovery and deload rule on today, in the packs' order."""
    if athlete.file.week is not None:
        yield from _sequencing(athlete)
    history = athlete.day_history()
    for kind in ATHLETE_PACKS:
        pack = athlete.rules.pack(kind)
        for rule in pack.rules:
            if rule.shape == "athlete":
                facts = facts_of_day(tuple(lasting_leaves(rule.when)), history, athlete.on)
                yield RuleExplained(pack.id, rule, athlete.on.isoformat(), explain(rule, facts))


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
            yield RuleExplained(pack.id, rule, about, explanation, ways_out.get((rule.id, ids)))


def _nearest_miss(
    answers: Sequence[tuple[str, tuple[str, ...], Explanation]],
) -> list[tuple[str, tuple[str, ...], Explanation]]:
    """What a coach asks about first: what nobody knows, then what failed by numbers alone and by the least."""

    def distance(answer: tuple[str, tuple[str, ...], Explanation]) -> tuple[bool, int, float]:
        causes = answer[2].causes
        words = sum(cause.margin is None for cause in causes)
        return (answer[2].answer is False, words, sum(abs(cause.margin or 0.0) for cause in causes))

    return sorted(answers, key=distance)[:1]


def show(explained: Mapping[str, Any]) -> str:
    """One rule's answer as two lines of text."""
    way_out = explained["nearest_legal_start"]
    moved = f"; nearest legal start: {way_out['session']} at {way_out['start']}" if way_out else ""
    return (
        f"{explained['answer']:<8}{explained['rule']} ({explained['severity']}): {explained['title']}\n"
        f"        {explained['about']}: {explained['why']}{moved}"
    )
