"""Fires every alert by its fault and ends it by its runbook, lane beside lane; what came of it."""

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

from tests.alerts.ground import Ground
from tests.alerts.proof import Proof
from tests.disks import NOT_PERMITTED

LOOK_EVERY_S = 0.3
QUIET_WITHIN_S = 60
"""How long something left over from the proof before may go on."""
MAX_S = 600
_LINE = "{:34} {:52} {:>8} {:>9}"


@dataclass(slots=True)
class Row:
    """Seconds from the fault to the alert, and from mending to its end; None: it did not come to that."""

    alert: str
    fault: str
    fired_s: float | None = None
    cleared_s: float | None = None
    problem: str = ""
    skipped: bool = False

    def line(self) -> str:
        shown = ["never" if seconds is None else f"{seconds:.1f}" for seconds in (self.fired_s, self.cleared_s)]
        return _LINE.format(self.alert, self.fault, *shown)


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)
    seconds: float = 0.0

    def goals(self) -> list[tuple[str, str, str, bool]]:
        """Name, figure, bound, met."""
        tried = [row for row in self.rows if not row.skipped]
        fired = sum(row.fired_s is not None for row in tried)
        cleared = sum(row.cleared_s is not None for row in tried)
        all_of_them = len(tried)
        return [
            ("alerts-fired-by-their-fault", f"{fired}", f"{all_of_them}", fired == all_of_them),
            ("alerts-cleared-by-their-runbook", f"{cleared}", f"{all_of_them}", cleared == all_of_them),
            ("seconds", f"{self.seconds:.0f}", f"<={MAX_S}", self.seconds <= MAX_S),
        ]

    @property
    def met(self) -> bool:
        return all(met for *_, met in self.goals())

    def page(self) -> Iterator[str]:
        yield _LINE.format("alert", "fault", "fires s", "clears s")
        yield from (row.line() for row in self.rows)
        yield from (f"{row.alert}: {row.problem}" for row in self.rows if row.problem)
        yield ""
        for name, figure, bound, met in self.goals():
            yield f"goal {name} {figure} {bound} {'met' if met else 'missed'}"


def run_all(ground: Ground, proofs: Sequence[Proof]) -> Report:
    started, report = time.monotonic(), Report()
    lanes = [list(lane) for _, lane in groupby(sorted(proofs, key=_lane), key=_lane)]
    alone = [proof for lane in lanes if not lane[0].lane for proof in lane]
    beside = [lane for lane in lanes if lane[0].lane]
    noting = threading.Lock()

    def run_lane(lane: Sequence[Proof]) -> None:
        for proof in lane:
            rows = _prove(ground, proof)
            with noting:
                report.rows += rows
                for row in rows:
                    print(row.line(), row.problem, file=sys.stderr, flush=True)

    if beside:
        with ThreadPoolExecutor(len(beside)) as threads:
            list(threads.map(run_lane, beside))
    run_lane(alone)
    order = [alert for proof in proofs for alert in proof.alerts]
    report.rows.sort(key=lambda row: order.index(row.alert))
    report.seconds = time.monotonic() - started
    return report


def _lane(proof: Proof) -> str:
    return proof.lane


def _prove(ground: Ground, proof: Proof) -> list[Row]:
    rows = [Row(alert, proof.fault) for alert in proof.alerts]
    labels = proof.labels(ground)
    if proof.fills_disk and ground.disk is None:
        return [Row(alert, proof.fault, problem=f"skipped: {NOT_PERMITTED}", skipped=True) for alert in proof.alerts]

    def quiet() -> bool:
        return not any(ground.prometheus.states(row.alert, labels) for row in rows)

    def fired(since: float) -> bool:
        for row in rows:
            if row.fired_s is None and "firing" in ground.prometheus.states(row.alert, labels):
                row.fired_s = time.monotonic() - since
        return all(row.fired_s is not None for row in rows)

    def cleared(since: float) -> bool:
        for row in rows:
            if row.cleared_s is None and not ground.prometheus.states(row.alert, labels):
                row.cleared_s = time.monotonic() - since
        return all(row.cleared_s is not None for row in rows)

    try:
        if not _look(quiet, QUIET_WITHIN_S):
            raise AssertionError("it was firing before its fault")
        began = time.monotonic()
        strike = proof.strike(ground)
        with contextlib.closing(strike):  # type: ignore[type-var]
            _look(lambda: (next(strike, None), fired(began))[1], proof.fires_within_s)
        began = time.monotonic()
        proof.mend(ground)
        if all(row.fired_s is not None for row in rows):
            _look(lambda: cleared(began), proof.clears_within_s)
        proof.after(ground)
    except Exception as error:  # noqa: BLE001 - told in the table; the others have their turn
        rows[0].problem = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    return rows


def _look(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True
