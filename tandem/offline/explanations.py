"""Why each rule fires on an athlete file, or why not: the comparison that settled it, by how much, and the way out."""

from collections.abc import Iterator
from datetime import date

from services.periodization.domain import deload_facts
from shared.contract.words import PackKind
from shared.rules.athlete_facts import athlete_facts
from shared.rules.evaluation.explain import explain
from shared.rules.evaluation.history import days_held, facts_of_day
from shared.rules.model import Facts, Rule, lasting_leaves, leaves
from shared.rules.vocabulary import FEATURES
from tandem.offline.explained_rule import NotAsked, RuleExplained
from tandem.offline.explained_season import early_in_season, explained_in_season
from tandem.offline.explained_week import explained_week
from tandem.offline.pipeline import OfflineAthlete

DAY_PACKS: tuple[PackKind, ...] = ("recovery", "deload", "periodization")


def explain_rules(athlete: OfflineAthlete) -> Iterator[RuleExplained | NotAsked]:
    """Every rule of every pack in force, in the packs' order: sequencing on the week, recovery and early deloads on
    today, the season's rules on its weeks, advice on the run after the lift. A pack about which the file has nothing
    to ask is named with what it lacks."""
    yield from explained_week(athlete)
    for kind in DAY_PACKS:
        yield from _day_and_season(athlete, kind)
    pack = athlete.rules.pack("advice")
    asked = athlete.advice_facts()
    if asked is None:
        yield NotAsked(pack.id, tuple(rule.id for rule in pack.rules), "the file has no 'after_lift'")
        return
    for rule in pack.rules:
        yield RuleExplained(pack.id, rule, "run after the lift", explain(rule, asked))


def _day_and_season(athlete: OfflineAthlete, kind: PackKind) -> Iterator[RuleExplained | NotAsked]:
    pack = athlete.rules.pack(kind)
    known = athlete.file.athlete is not None
    season = athlete.season() if athlete.has_season else None
    history = _days(athlete, kind) if known else {}
    without_season: list[str] = []
    without_history: list[str] = []
    for rule in pack.rules:
        if _about_the_season(rule):
            if season is None:
                without_season.append(rule.id)
            else:
                yield from explained_in_season(rule, kind, pack, season)
            continue
        if season is not None:
            yield from early_in_season(rule, pack, season)
        if not history:
            without_history.append(rule.id)
        else:
            lasting = tuple(lasting_leaves(rule.when))
            held = {leaf: days_held(leaf, history, athlete.on) for leaf in lasting}
            facts = facts_of_day(lasting, history, athlete.on)
            yield RuleExplained(pack.id, rule, str(athlete.on), explain(rule, facts, held=held))
    if without_season:
        yield NotAsked(pack.id, tuple(without_season), "the file has no 'season' and no 'goals'")
    if without_history:
        yield NotAsked(pack.id, tuple(without_history), "the file has no records of the athlete's days")


def _days(athlete: OfflineAthlete, kind: PackKind) -> dict[date, Facts]:
    """The days up to today as the rules of ``kind`` are asked about them."""
    days = athlete.day_history()
    who: Facts = athlete_facts(athlete.profile)
    if kind == "recovery":
        return {day: {**who, **facts} for day, facts in days.items()}
    return {day: deload_facts(facts, who) for day, facts in days.items()}


def _about_the_season(rule: Rule) -> bool:
    """Whether only a season's plan can say: its weeks are counted from its start, not read from a day."""
    return rule.shape == "season" or any(
        "season" in FEATURES[leaf.feature].shapes and "pair" not in FEATURES[leaf.feature].shapes
        for leaf in leaves(rule.when)
    )
