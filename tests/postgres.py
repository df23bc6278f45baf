"""A PostgreSQL server of the tests' own, in a temporary folder; every test may have a database of its own in it."""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import URL, make_url

from tests.broker import free_port

PGBOUNCER = "/usr/sbin/pgbouncer"


class Postgres:
    """One private server. It refuses to run as root, so as root it runs as the user ``postgres``."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._programs = programs
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def create(self) -> None:
        if self._as_user:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "tandem", "-A", "trust", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        # fsync off: a kill -9 of the server's client, which is what tests do, loses nothing by it.
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-w", "-l", str(self.folder / "log"), "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def new_database(self, disk: Path | None = None) -> str:
        """The address of an empty database; ``disk``: where its tables are, and not the server's own files."""
        name = f"tandem_{secrets.token_hex(6)}"
        if disk is not None:
            (disk / name).mkdir()
            if self._as_user:
                user = pwd.getpwnam("postgres")
                os.chown(disk / name, user.pw_uid, user.pw_gid)
            self.tell(f"CREATE TABLESPACE {name} LOCATION '{disk / name}'")
        self.tell(f'CREATE DATABASE "{name}"' + (f" TABLESPACE {name}" if disk is not None else ""))
        return f"postgresql+psycopg2://tandem@127.0.0.1:{self.port}/{name}"

    def set_read_only(self, how: str) -> None:
        """``on``, as of a standby after a failover; ``RESET`` takes it back."""
        change = "RESET default_transaction_read_only"
        self.tell(f"ALTER SYSTEM {change if how == 'RESET' else f'SET default_transaction_read_only = {how}'}")
        self.tell("SELECT pg_reload_conf()")

    def tell(self, statement: str) -> None:
        """By the owner of all, in no transaction."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="tandem", dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._programs / program), *arguments]
        # Not captured through a pipe: the server inherits it and would keep it open.
        with (self.folder / "commands.log").open("ab") as log:
            subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=True, timeout=60, cwd="/")


@contextmanager
def pooled(url: str, users: Sequence[str], sessions: int) -> Iterator[str]:
    """The address ``url`` by way of a PgBouncer of its own, in transaction mode with ``sessions`` of each user's."""
    if not Path(PGBOUNCER).exists():
        pytest.fail("this test needs PgBouncer: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="tandem-pgbouncer-") as folder:
        yield from _pooled(make_url(url), Path(folder), users, sessions)


def _pooled(server: URL, folder: Path, users: Sequence[str], sessions: int) -> Iterator[str]:
    port = free_port()
    (folder / "users").write_text("".join(f'"{user}" ""\n' for user in users))
    # What a client asks for at login beyond the tracked parameters it refuses, as Debian's configuration does.
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.host} port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users\n"
        f"pool_mode = transaction\ndefault_pool_size = {sessions}\nlogfile = {folder}/log\n"
    )
    command = [PGBOUNCER, "-q", str(folder / "pgbouncer.ini")]
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", *command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        until_listens(port, process)
        yield server.set(port=port).render_as_string(hide_password=False)
    finally:
        process.terminate()
        process.wait(10)


def until_listens(port: int, process: "subprocess.Popen[bytes]", seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not listen")
        time.sleep(0.05)


def programs() -> Path | None:
    """Where initdb and pg_ctl are, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    found = programs()
    if found is None:
        pytest.fail("these tests need PostgreSQL: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="tandem-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder), found)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """An empty database for one test."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both databases in turn: what a store promises holds on either. ``{service}`` is a SQLite file's name."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/{{service}}.sqlite3"
    url: str = request.getfixturevalue("postgres").new_database()
    return url
