"""The same random athlete as messages to the services and as a file to the offline commands: the same answers."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings

from shared.rules.evaluation.tenant_rules import TenantRules
from tests.random_athletes import RandomAthlete, athletes, random_athlete
from tests.service_and_file import Services, different, offline, running_services


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with running_services(tmp_path_factory.mktemp("services")) as running:
        yield running


@pytest.mark.timeout(900)  # 40 s of CPU; on a machine with much else to do that is minutes
@settings(max_examples=100)
@given(athletes())
@example(random_athlete(1, ["long history", "the same every day"], "UTC"))
@example(random_athlete(2, ["sick before it began"], "Europe/Berlin"))
@example(random_athlete(3, ["sick before it began"], "Europe/Berlin"))
@example(random_athlete(4, ["sick before it began"], "Europe/Berlin"))
def test_load_and_readiness(services: Services, rules: TenantRules, athlete: RandomAthlete) -> None:
    of_file = offline(athlete, rules)
    ask = services.sent(athlete)
    load, readiness = ask("load.get-load"), ask("recovery.get-readiness")
    del load["provisional"], load["decided_by"]
    assert different(load, of_file.load().as_json()) == []
    assert different(readiness, of_file.readiness().as_json()) == []
