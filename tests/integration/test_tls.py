"""Encrypted connections by settings alone: a broker and a database whose certificates a test's own authority signed."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.exc import OperationalError

from shared.contract.words import SERVICES
from shared.ops.settings import Settings
from tandem.runtime.broker import CannotDeclare, declare_services
from tandem.runtime.databases import upgrade_databases
from tests.broker import Broker, free_port
from tests.postgres import Postgres
from tests.processes import ROOT, ServiceProcess


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ca.pem``, ``server.pem`` for localhost, ``client.pem`` for us, their keys, and a stranger's ``other.pem``."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=tandem {name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for name in ("server", "client"):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")  # fmt: skip
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return folder


@dataclass
class Encrypted:
    """A broker that asks whoever comes for a certificate. ``uri`` names the host as its own certificate does;
    ``by_number`` reaches the same broker under a name it is not."""

    uri: str
    by_number: str


@pytest.fixture(scope="module")
def encrypted(certificates: Path) -> Iterator[Encrypted]:
    with tempfile.TemporaryDirectory(prefix="tandem-tls-", ignore_cleanup_errors=True) as name:
        node = Broker(Path(name))
        port = free_port()
        with (node.folder / "rabbitmq.conf").open("a") as configuration:
            configuration.write(
                f"listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {certificates}/ca.pem\n"
                f"ssl_options.certfile = {certificates}/server.pem\nssl_options.keyfile = {certificates}/server.key\n"
                "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
            )
        node.start()
        try:
            yield Encrypted(f"amqps://guest:guest@localhost:{port}//", f"amqps://guest:guest@127.0.0.1:{port}//")
        finally:
            node.stop()


def test_a_service_works_over_amqps(encrypted: Encrypted, certificates: Path, tmp_path: Path) -> None:
    secret = tmp_path / "amqp-uri"
    secret.write_text(encrypted.uri + "\n")
    variables = {
        "TANDEM_AMQP_URI_FILE": str(secret),
        "TANDEM_AMQP_CA_FILE": str(certificates / "ca.pem"),
        "TANDEM_AMQP_CERT_FILE": str(certificates / "client.pem"),
        "TANDEM_AMQP_KEY_FILE": str(certificates / "client.key"),
        "TANDEM_DATABASE_URL": f"sqlite:///{tmp_path}/{{service}}.sqlite3",
        "TANDEM_RULES_DIR": str(ROOT / "rules"),
    }
    subprocess.run(
        [sys.executable, "-m", "tandem", "db", "upgrade", "load"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    process = ServiceProcess(tmp_path, "tandem", ("serve", "load"), variables)
    try:
        process.start()
    finally:
        process.kill()


def test_a_broker_that_is_not_who_it_should_be_is_refused(encrypted: Encrypted, certificates: Path) -> None:
    trusted = {"amqp_ca_file": certificates / "ca.pem"}
    ours = {"amqp_cert_file": certificates / "client.pem", "amqp_key_file": certificates / "client.key"}
    assert set(declare_services(Settings(amqp_uri=encrypted.uri, **trusted, **ours))) == set(SERVICES)
    for settings in (
        Settings(amqp_uri=encrypted.uri, amqp_ca_file=certificates / "other.pem", **ours),
        Settings(amqp_uri=encrypted.uri, **ours),
        Settings(amqp_uri=encrypted.by_number, **trusted, **ours),
    ):
        with pytest.raises(CannotDeclare, match="(?i)certificate"):
            declare_services(settings)


@pytest.mark.parametrize("shown", [None, "other"], ids=["without one", "signed by a stranger"])
def test_whoever_shows_the_broker_no_certificate_it_trusts_is_refused(
    encrypted: Encrypted, certificates: Path, shown: str | None
) -> None:
    settings = Settings(
        amqp_uri=encrypted.uri,
        amqp_ca_file=certificates / "ca.pem",
        amqp_cert_file=certificates / f"{shown}.pem" if shown else None,
        amqp_key_file=certificates / f"{shown}.key" if shown else None,
    )
    with pytest.raises(CannotDeclare, match="does it ask for a certificate that it trusts"):
        declare_services(settings)


def test_postgresql_over_tls_by_its_address(postgres: Postgres, certificates: Path) -> None:
    for file in ("server.pem", "server.key"):
        target = postgres.folder / "data" / file
        target.write_bytes((certificates / file).read_bytes())
        target.chmod(0o600)
        owner = (postgres.folder / "data").stat()
        os.chown(target, owner.st_uid, owner.st_gid)
    url = postgres.new_database()
    named = url.replace("127.0.0.1", "localhost") + "?sslmode=verify-full&sslrootcert="
    configure(url, "ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on")
    try:
        assert upgrade_databases(Settings(database_url=f"{named}{certificates}/ca.pem"), ["load"])
        with pytest.raises(OperationalError, match="certificate verify failed"):
            upgrade_databases(Settings(database_url=f"{named}{certificates}/other.pem"), ["load"])
    finally:
        configure(url, "ssl = off")


def configure(url: str, *settings: str) -> None:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for setting in settings:
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")
