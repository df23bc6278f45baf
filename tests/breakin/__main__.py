"""``make breakin``: a hostile tenant against a real broker and database; prints one table and goal lines.

Exit 1 when a goal is missed.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.breakin.run import Scale, run
from tests.postgres import Postgres, programs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flood", type=int, default=1500, help="messages of the flood (default 1500)")
    parser.add_argument("--json", type=Path, help="write the table to this file too")
    parser.add_argument("--uncapped", action="store_true", help="with no cap on what one tenant has in flight")
    options = parser.parse_args()
    scale = Scale(
        4, options.flood, questions=20, texts=6, megabytes=(2, 50, 200), queues=1000, capped=not options.uncapped
    )
    with _postgres() as postgres:
        report = run(postgres, scale)
    for line in report.lines():
        print(line)
    if options.json is not None:
        options.json.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    return 0 if report.met else 1


@contextmanager
def _postgres() -> Iterator[Postgres]:
    found = programs()
    if found is None:
        raise SystemExit("the break-in needs PostgreSQL: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="tandem-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder), found)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
