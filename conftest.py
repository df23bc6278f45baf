"""Green threads before anything else: the services run under eventlet, so their tests do too."""

import eventlet

eventlet.monkey_patch()

from shared.ops.logging import configure_logging  # noqa: E402 - nothing may be imported before the patch

configure_logging("error")

pytest_plugins = ["tests.broker", "tests.postgres"]
