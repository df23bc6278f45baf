"""The shorter part of ``make faults``: kill -9 at each moment that matters, with the control beside it."""

from pathlib import Path

from shared.rules.lifecycle.rule_book import open_rules
from tests.broker import Broker
from tests.faults.catalogue import KILLS
from tests.faults.counting import QUEUES, SERVICES
from tests.faults.ground import Ground
from tests.faults.running import Options, prepare, run_all
from tests.postgres import Postgres
from tests.processes import ROOT


def test_nothing_is_lost_or_doubled_by_kills_that_a_stock_consumer_does_not_survive(
    broker: Broker, postgres: Postgres, tmp_path: Path
) -> None:
    queues = (*QUEUES, *(f"{service}.parked" for service in SERVICES))
    broker.forget(*queues)
    ground = Ground(broker, postgres, tmp_path)
    prepare(ground)
    try:
        with open_rules(ROOT / "rules", evaluator="reference") as rules:
            report = run_all(ground, (KILLS,), rules, Options(messages=200, kills=1, replicas=1))
        assert report.met, "\n".join(report.page())
        assert "goal control-fails yes yes met" in report.page()
    finally:
        ground.stop()
        broker.forget(*queues)
