"""The toy service as a process: ``python -m tests.toy``, set up by TANDEM_ variables like the real ones."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402 - nothing may be imported before the patch
import sys  # noqa: E402

from shared.db.engine import Database  # noqa: E402
from shared.db.migrations import create_all  # noqa: E402
from shared.ops.logging import configure_logging  # noqa: E402
from shared.ops.settings import read_settings  # noqa: E402
from tandem.serve import serve  # noqa: E402
from tests.toy.service import Table, ToyService  # noqa: E402

settings = read_settings({name: value for name, value in os.environ.items() if name.startswith("TANDEM_")})
configure_logging(settings.log_level)
create_all(Database("toy", settings.database_url_of("toy")), Table.metadata)
sys.exit(serve([ToyService], settings, with_rules=False))
