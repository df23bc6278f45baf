"""Green threads before anything else: the services run under eventlet, so their tests do too."""

import eventlet

eventlet.monkey_patch()

from hypothesis import HealthCheck, settings  # noqa: E402 - nothing may be imported before the patch

from shared.ops.logging import configure_logging  # noqa: E402

configure_logging("error")

# The same examples on every run, and no deadline: how fast a busy machine is says nothing about what is right.
settings.register_profile("tandem", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tandem")

pytest_plugins = ["tests.broker", "tests.postgres"]
