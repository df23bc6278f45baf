"""``make alerts``: every alert of deploy/prometheus fired by its real fault and ended by the steps of its runbook.

A real RabbitMQ, PostgreSQL, Prometheus and the four services; only times are shorter. Prints one table and goal lines;
exit 1 when a goal is missed.
"""

import argparse
import signal
import sys

from tests.alerts.catalogue import PROOFS
from tests.alerts.ground import alert_ground
from tests.alerts.running import run_all


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers it started end with it
    parser = argparse.ArgumentParser(prog="make alerts", description=__doc__)
    names = sorted({alert for proof in PROOFS for alert in proof.alerts})
    parser.add_argument("--only", nargs="*", choices=names, default=[], help="these alerts")
    given = parser.parse_args()
    chosen = [proof for proof in PROOFS if not given.only or set(given.only) & set(proof.alerts)]
    with alert_ground() as ground:
        report = run_all(ground, chosen)
    for line in report.page():
        print(line)
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
