"""Gives the toy service's parked messages back, as ``tandem parked replay`` does for the real ones: ``[--rate N]``."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402 - nothing may be imported before the patch
import sys  # noqa: E402
from functools import partial  # noqa: E402

from shared.bus.operations.parked_queue import Audit, ParkedQueue, RateLimit  # noqa: E402
from shared.bus.transport.wiring import utc_now  # noqa: E402
from shared.db.engine import Database  # noqa: E402
from shared.ops.settings import read_settings  # noqa: E402
from tandem.runtime.broker import broker_of  # noqa: E402


def main() -> None:
    settings = read_settings({name: value for name, value in os.environ.items() if name.startswith("TANDEM_")})
    database = Database("toy", settings.database_url_of("toy"))
    audit = Audit(database, "the tests", utc_now)
    pace = RateLimit(float(sys.argv[-1]) if "--rate" in sys.argv else None)
    with ParkedQueue("toy", broker_of(settings)) as queue:
        for message, parked in queue.read():
            pace.step()
            queue.replay(message, parked, partial(audit.note, "replay", parked))


if __name__ == "__main__":
    main()
