"""Stock nameko: ``@consume``, ``Publisher``, ``max_workers`` 10 (its default, also the prefetch)."""

import eventlet

eventlet.monkey_patch()

import sqlite3  # noqa: E402 - nothing may be imported before the patch
import warnings  # noqa: E402
from typing import Any  # noqa: E402
from uuid import uuid4  # noqa: E402

from kombu import Exchange, Queue  # noqa: E402
from nameko.extensions import DependencyProvider  # noqa: E402
from nameko.messaging import Publisher, consume  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402
from pydantic import ValidationError  # noqa: E402
from sqlalchemy import create_engine, event, text  # noqa: E402

from benchmarks.bus import work  # noqa: E402
from benchmarks.bus.serving import serve_until_sigterm  # noqa: E402

warnings.simplefilter("ignore")

WORKERS = 10
SETTINGS = f"max_workers {WORKERS} (default, also the prefetch), Publisher with confirms (default), SQLAlchemy engine"
_UPSERT = text(work.upsert_sql(":"))


class Database(DependencyProvider):
    """An engine for the service, a transaction per worker, as nameko's documentation on dependency providers has it."""

    def setup(self) -> None:
        url = work.database().replace("postgresql://", "postgresql+psycopg2://")
        self.engine = create_engine(url, **({"pool_size": WORKERS} if "postgresql" in url else {}))
        if work.sqlite_path():
            event.listen(self.engine, "connect", _prepare)

    def get_dependency(self, worker_ctx: Any) -> Any:
        return self.engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in work.SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


class Bench:
    name = "bench"
    database = Database()
    publish = Publisher(exchange=Exchange(work.EVENTS, type="topic", durable=True))

    @consume(queue=Queue(work.QUEUE, durable=True, no_declare=True))  # type: ignore[untyped-decorator]
    def take(self, body: Any) -> None:
        try:
            record = work.Record.model_validate(body)
        except ValidationError:
            return  # acknowledged; nameko has no way to reject
        with self.database.begin() as connection:
            connection.execute(_UPSERT, dict(zip(work.COLUMNS, work.row_of(record), strict=True)))
        headers = work.event_headers(uuid4().hex)
        self.publish(work.event_of(record), routing_key=work.EVENT_KEY, headers=headers)


def run() -> None:
    runner = ServiceRunner({"AMQP_URI": work.amqp_uri(), "max_workers": WORKERS})
    runner.add_service(Bench)
    serve_until_sigterm(runner)


if __name__ == "__main__":
    work.run_or_tell(SETTINGS, run)
