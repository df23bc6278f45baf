"""The short part of ``make breakin``: fewer texts and a small flood, the four services in one process."""

from tests.breakin.run import Scale, run
from tests.postgres import Postgres


def test_a_hostile_tenant_reaches_nobody_and_stops_nothing(postgres: Postgres) -> None:
    scale = Scale(processes=1, flood=100, questions=3, texts=1, megabytes=(2,), queues=100, weeks=3, packs=8)
    report = run(postgres, scale)
    assert not report.crossed
    # How fast a question is answered in a flood depends on the machine; `make breakin` holds it against its goal.
    by_machine = ("-latency", "-memory", "-p99", "-healthz")
    missed = [str(goal) for goal in report.goals if not goal.met and not goal.name.endswith(by_machine)]
    assert not missed, "\n".join(report.lines())
