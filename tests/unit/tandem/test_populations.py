"""Made-up athletes and how they are played: the same number is the same athlete, and a day is as it was on that day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules
from tandem.offline.pipeline import OfflineAthlete
from tandem.offline.playing import offline, play
from tandem.offline.populations import BEFORE, DAYS, FIRST, POPULATIONS, made_up_athlete

RULES = Path(__file__).resolve().parents[3] / "rules"
BEGIN, END = FIRST + timedelta(days=BEFORE), FIRST + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def rules() -> Iterator[TenantRules]:
    with open_rules(RULES, evaluator="reference") as opened:
        yield opened


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_same_number_is_the_same_athlete(population: str) -> None:
    assert made_up_athlete(population, 3) == made_up_athlete(population, 3)
    assert made_up_athlete(population, 3) != made_up_athlete(population, 5)


def test_the_dirty_are_the_clean_badly_recorded() -> None:
    clean, dirty = made_up_athlete("overreached", 4).file, made_up_athlete("dirty_overreached", 4).file
    assert len(clean.wellness) == len(dirty.wellness)
    other = sum(one != two for one, two in zip(clean.wellness, dirty.wellness, strict=True))
    assert 0 < other < len(clean.wellness) / 10
    assert [one for one in dirty.sessions if "copy" not in one.id] == clean.sessions


def test_played_at_once_every_day_is_as_it_was_known_on_that_day(rules: TenantRules) -> None:
    file = made_up_athlete("gaps_overreached", 1).file
    played = {day.date: day for day in play(file, rules, BEGIN, END).days}
    for index in (0, 40, 80, 111):
        on = BEGIN + timedelta(days=index)
        known = file.model_copy(update={"wellness": [row for row in file.wellness if row.date <= on]})
        alone: OfflineAthlete = replace(offline(known, rules, END), on=on)
        readiness = alone.readiness()
        assert (played[on].score, played[on].intensity) == (readiness.score, readiness.gate.intensity)
