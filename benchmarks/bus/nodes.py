"""The broker and the database server of a run: private ones, with their disks synced as in production."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine

from benchmarks.bus import work
from shared.db.engine import Database, create_schema
from shared.db.migrations import create_all
from tests.broker import Broker
from tests.postgres import Postgres, programs


@dataclass(frozen=True, slots=True)
class Store:
    """An empty database. ``plain``: for the peers; ``service``: the same for Tandem, which has its own schema."""

    plain: str
    service: str

    def records(self) -> int:
        """Rows of the work's table, wherever this case put it."""
        engine = create_engine(self.plain.replace("postgresql://", "postgresql+psycopg2://"))
        counts = []
        with engine.connect() as connection:
            for table in ("session", "bench.session") if "postgresql" in self.plain else ("session",):
                counts.append(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
        engine.dispose()
        return max(counts)


class Nodes:
    """One RabbitMQ node, one PostgreSQL server, a folder."""

    def __init__(self, broker: Broker, postgres: Postgres, folder: Path) -> None:
        self.broker = broker
        self._postgres = postgres
        self.folder = folder
        self._made = 0

    def new_store(self, kind: str) -> Store:
        """``sqlite`` or ``postgresql``; the tables are made."""
        self._made += 1
        if kind == "sqlite":
            path = f"sqlite:///{self.folder}/run{self._made}-{{service}}.sqlite3"
            url = path.replace("{service}", "bench")
            create_all(Database("bench", url), work.metadata)
            return Store(url, path)
        url = self._postgres.new_database()
        database = Database("bench", url)
        create_schema(database)
        create_all(database, work.metadata)
        database.dispose()
        plain = create_engine(url)
        work.metadata.create_all(plain, tables=[work.sessions])
        plain.dispose()
        return Store(url.replace("+psycopg2", ""), url)


class SyncedPostgres(Postgres):
    """The tests' server, but with fsync: what it has committed survives a power cut."""

    OPTIONS = "-c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=60 -c shared_buffers=128MB"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} {self.OPTIONS}"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-w", "-l", str(self.folder / "log"), "start"
        )


@contextmanager
def nodes() -> Iterator[Nodes]:
    found = programs()
    if found is None:
        raise SystemExit("bench-bus needs PostgreSQL: apt-get install postgresql")
    with (
        tempfile.TemporaryDirectory(prefix="tandem-bench-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(prefix="tandem-bench-pg-", ignore_cleanup_errors=True) as pg_folder,
    ):
        broker = Broker(Path(folder))
        postgres = SyncedPostgres(Path(pg_folder), found)
        postgres.create()
        postgres.start()
        try:
            broker.start()
            yield Nodes(broker, postgres, Path(folder))
        finally:
            broker.stop()
            postgres.stop()
