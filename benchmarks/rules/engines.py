"""All engines on the same work in one run, in turns, so that what slows the machine slows them all."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.rules.work import works

CASES = (
    "tandem_engine",
    "tandem_reference",
    "durable_host",
    "durable_host_batch",
    "zen_table",
    "clips_facts",
    "rule_engine_rules",
    "json_logic_rules",
    "business_rules_rules",
    "plain_python",
)
HOSTS = ("durable_host", "durable_host_batch")


@dataclass(slots=True)
class Contender:
    """One engine: who it is, its rounds so far. ``failed`` says what ended it, if anything did."""

    case: str
    name: str = ""
    version: str = ""
    settings: str = ""
    seconds: list[list[float]] = field(default_factory=list)
    wrong: int = 0
    failed: str = ""

    def rates(self, decisions: Sequence[int]) -> list[float]:
        """Decisions a second over all works, round by round."""
        return [sum(decisions) / sum(one) for one in self.seconds]


class _Child:
    def __init__(self, case: str) -> None:
        self.told = Contender(case, name=case)
        command = [sys.executable, "-m", "benchmarks.rules.serve", case]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def hear(self) -> dict[str, object] | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return dict(json.loads(line))
        if not self.told.failed:
            assert self._process.stderr is not None
            said = self._process.stderr.read().strip().splitlines()
            self.told.failed = f"ended with {self._process.wait()}: {said[-1] if said else 'nothing said'}"
        return None

    def ask(self) -> dict[str, object] | None:
        if self.told.failed:
            return None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("round\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return self.hear()
        return self.hear()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def compare(rounds: int, cases: Sequence[str] = CASES) -> list[Contender]:
    """Every case, ``rounds`` times in turns after one round that does not count."""
    children = [_Child(case) for case in cases]
    try:
        for child in children:
            if told := child.hear():
                child.told.name, child.told.version = str(told["name"]), str(told["version"])
                child.told.settings = str(told["settings"])
        for number in range(rounds + 1):
            for child in children:
                answer = child.ask()
                if answer is None:
                    continue
                child.told.wrong += sum(answer["wrong"])  # type: ignore[call-overload]
                if number:
                    child.told.seconds.append(list(answer["seconds"]))  # type: ignore[call-overload]
        return [child.told for child in children]
    finally:
        for child in children:
            child.end()


def table(contenders: Sequence[Contender]) -> str:
    decisions = [work.decisions for work in works()]
    base = {one.case: one for one in contenders}
    heads = f"{'engine':38} {'decisions/s':>12} {'range':>22} {'pairs':>12} {'days':>12}"
    lines = [f"{heads} {'x Host':>8} {'x zen':>8} {'wrong':>6}"]
    for one in contenders:
        if not one.seconds:
            lines.append(f"{one.name:38} {one.failed}")
            continue
        rates = one.rates(decisions)
        parts = [median(decisions[at] / times[at] for times in one.seconds) for at in range(len(decisions))]
        host, zen = (
            ratio(one, [base[name] for name in HOSTS if name in base]),
            ratio(one, [base[name] for name in ("zen_table",) if name in base]),
        )
        lines.append(
            f"{one.name:38} {median(rates):12,.0f} {f'{min(rates):,.0f}..{max(rates):,.0f}':>22} "
            f"{parts[0]:12,.0f} {parts[1]:12,.0f} {host:8.2f} {zen:8.2f} {one.wrong:6}"
        )
        if one.failed:
            lines.append(f"  after {len(one.seconds)} rounds: {one.failed}")
    lines.append("")
    lines += [f"  {one.name} {one.version}: {one.settings}" for one in contenders]
    return "\n".join(lines)


def ratio(one: Contender, others: Sequence[Contender]) -> float:
    """How many times faster than the fastest of ``others``: the median of the ratios of each round; NaN without any."""
    rounds = []
    for at, times in enumerate(one.seconds):
        against = [sum(other.seconds[at]) for other in others if at < len(other.seconds)]
        if against:
            rounds.append(min(against) / sum(times))
    return median(rounds) if rounds else float("nan")
