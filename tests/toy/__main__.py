"""The toy service as a process: ``python -m tests.toy``, set up by TANDEM_ variables like the real ones."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402 - nothing may be imported before the patch
import signal  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

from shared.bus.delivery.outbox import Relay  # noqa: E402
from shared.bus.transport.consumer import BatchEntrypoint  # noqa: E402
from shared.db.engine import Database  # noqa: E402
from shared.db.migrations import create_all  # noqa: E402
from shared.ops.logging import configure_logging  # noqa: E402
from shared.ops.settings import read_settings  # noqa: E402
from tandem.runtime.serve import serve  # noqa: E402
from tests.toy.service import Table, ToyService  # noqa: E402


def die(_: Any, rows: Any, _rest: Any = ()) -> None:
    if rows:
        os.kill(os.getpid(), signal.SIGKILL)


# Where a power cut may strike, as the test chooses.
if os.environ.get("TOY_DIES") == "before-ack":
    BatchEntrypoint._acknowledge = die  # type: ignore[method-assign]
if os.environ.get("TOY_DIES") == "before-publishing":
    Relay.hand_over = die  # type: ignore[method-assign]

settings = read_settings({name: value for name, value in os.environ.items() if name.startswith("TANDEM_")})
configure_logging(settings.log_level)
create_all(Database("toy", settings.database_url_of("toy")), Table.metadata)
sys.exit(serve([ToyService], settings, with_rules=False))
