"""Tandem's bus, with inbox and outbox: ``tandem_service`` and one route, run like every service."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402 - nothing may be imported before the patch
from typing import Any  # noqa: E402

from benchmarks.bus import work  # noqa: E402
from benchmarks.bus.tandem_work import ROUTES  # noqa: E402
from shared.bus.transport.nameko_service import tandem_service  # noqa: E402
from shared.ops.logging import configure_logging  # noqa: E402
from shared.ops.settings import read_settings  # noqa: E402
from tandem.runtime.serve import serve  # noqa: E402

BenchService: Any = tandem_service("bench", ROUTES, (), work.metadata)


def settings_for(environment: dict[str, str]) -> Any:
    given = {name: value for name, value in environment.items() if name.startswith("TANDEM_")}
    return read_settings({"TANDEM_METRICS_PORT": "0", "TANDEM_LOG_LEVEL": "error", **given})


_settings = settings_for({})
SETTINGS = (
    f"batch {_settings.batch_messages} or {_settings.batch_wait_ms} ms, prefetch {_settings.prefetch_messages}, inbox, "
    "outbox, pipelined confirms, ack multiple (all defaults)"
)


def run() -> int:
    settings = settings_for(
        {
            **os.environ,
            "TANDEM_AMQP_URI": work.amqp_uri(),
            "TANDEM_DATABASE_URL": os.environ["BENCH_SERVICE_DATABASE"],
        }
    )
    configure_logging(settings.log_level)
    return serve([BenchService], settings, with_rules=False)


if __name__ == "__main__":
    work.run_or_tell(SETTINGS, run)
