"""``make replies``: 10,000 random steps (``--steps``, ``--seed``); ends with goal lines, fails on a missed one."""

from tandem.runtime.green_threads import use_green_threads

use_green_threads()

import argparse  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.goals import Goal, tell  # noqa: E402
from shared.ops.logging import configure_logging  # noqa: E402
from tests.replies.machine import Machine  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=20261129)
    asked = parser.parse_args()
    configure_logging("warning", "console")
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), Path("rules"), asked.seed)
        machine.run(asked.steps, asked.seconds)
    for outcome, count in sorted(machine.seen.items()):
        print(f"{count:7,} {outcome}")
    for wrong in machine.wrong:
        print(wrong, file=sys.stderr)
    return tell(
        [Goal("steps", machine.steps, "at least", asked.steps), Goal("wrong", len(machine.wrong), "at most", 0)]
    )


if __name__ == "__main__":
    sys.exit(main())
