"""The place that is broken into: a broker as deployed, PostgreSQL as deployed, four services, two tenants."""

import contextlib
import json
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import psycopg2
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import make_url

from shared.bus.operations.management import Management
from shared.bus.operations.policies import set_policies
from shared.bus.operations.tenants import TenantLimits, Tenants
from shared.bus.queue_names import RETRY_DELAYS_S, parked_queue, waiting_queue, work_queues
from shared.contract.words import SERVICES
from shared.ops.settings import Settings
from tandem.runtime.broker import declare_services, tenant_uri
from tandem.runtime.databases import upgrade_databases
from tests.broker import Broker
from tests.postgres import Postgres
from tests.processes import ROOT, ServiceProcess

HOSTILE = "acme"
VICTIM = "globex"
CROWD = "initech"
"""The tenant of the queue flood, which costs it its connections."""
_SOURCES = ("command", "event")
_OUTCOMES = ("accepted", "duplicate", "answered", "rejected", "parked", "expired")


@dataclass
class Ground:
    """``uris``: by tenant. ``database``: a connection of the tables' owner, whom no policy binds."""

    management: Management

    broker: Broker
    database: Any
    processes: list[ServiceProcess]
    uris: dict[str, str]

    def alive(self) -> set[str]:
        """Services that consume from the broker now and never ended."""
        found = set()
        for process in self.processes:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/readyz", timeout=10) as answer:
                    checks = json.load(answer)["checks"]
            except urllib.error.HTTPError as not_ready:
                checks = json.load(not_ready)["checks"]
            found |= {name.removeprefix("broker-") for name, said in checks.items() if said == "ok"}
        return found & set(SERVICES)

    def totals(self) -> dict[str, float]:
        """``consumed``, every outcome and what is ``in_flight``, over all services and keys."""
        totals = dict.fromkeys(("consumed", "in_flight", *_OUTCOMES), 0.0)
        for process in self.processes:
            for family in text_string_to_metric_families(process.metrics()):
                name = family.name.removeprefix("tandem_messages_").removeprefix("tandem_queries_")
                if name in totals:
                    samples = [one for one in family.samples if not one.name.endswith("_created")]
                    totals[name] += sum(one.value for one in samples)
        return totals

    def waiting(self) -> int:
        """Messages in the services' queues, those that wait for another try too, and rows of their outboxes.

        A message that failed once, as the loser of two that met, comes back only after seconds, and with it an effect.
        """
        retried = [waiting_queue(name, of, delay) for name in SERVICES for of in _SOURCES for delay in RETRY_DELAYS_S]
        with pika.BlockingConnection(pika.URLParameters(self.broker.uri)) as connection:
            channel = connection.channel()
            queues = [*work_queues(SERVICES), *retried]
            declared = [channel.queue_declare(name, passive=True) for name in queues]
        outboxes = [self._rows(f'SELECT count(*)::text FROM "{service}".outbox') for service in SERVICES]
        return sum(one.method.message_count for one in declared) + sum(int(count) for ((count,),) in outboxes)

    def parked(self) -> int:
        """Dead letters of all services."""
        with pika.BlockingConnection(pika.URLParameters(self.broker.uri)) as connection:
            channel = connection.channel()
            declared = [channel.queue_declare(parked_queue(name), passive=True) for name in SERVICES]
        return sum(one.method.message_count for one in declared)

    def fingerprint(self, tenant: str) -> dict[str, str]:
        """By table a digest of all rows of ``tenant``; what is only passing through (the outbox) is left out."""
        found = {}
        for schema, table in self._tables():
            if table != "outbox":
                ((digest,),) = self._rows(
                    f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
                    f' FROM "{schema}"."{table}" t WHERE tenant = %s',
                    tenant,
                )
                found[f"{schema}.{table}"] = digest
        return found

    def tenants_stored(self) -> set[str]:
        """Every tenant that any row of any table names; ``""`` are the base rules."""
        found: set[str] = set()
        for schema, table in self._tables():
            found |= {tenant for (tenant,) in self._rows(f'SELECT DISTINCT tenant FROM "{schema}"."{table}"')}
        return found - {""}

    def errors_logged(self) -> list[str]:
        """Errors of the log, and tracebacks whole."""
        return [
            told
            for process in self.processes
            for told in re.findall(
                r'^.*"level": "error".*$|^.*Traceback.*\n(?:[ ].*\n)*.*$', process.log.read_text(), flags=re.MULTILINE
            )
        ]

    def _tables(self) -> list[tuple[str, str]]:
        return [
            (schema, table)
            for schema, table in self._rows(
                "SELECT table_schema, table_name FROM information_schema.columns"
                " WHERE column_name = 'tenant' AND table_schema = ANY(%s) ORDER BY 1, 2",
                list(SERVICES),
            )
        ]

    def _rows(self, query: str, *parameters: object) -> list[tuple[str, ...]]:
        with self.database.cursor() as cursor:
            cursor.execute(query, parameters)
            return list(cursor.fetchall())


class DeployedBroker(Broker):
    """A node with the management API and the message size limit of ``deploy/rabbitmq``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, management=True)
        deployed = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text(encoding="utf-8")
        limit = re.search(r"^max_message_size = \d+$", deployed, re.MULTILINE)
        assert limit is not None, "deploy/rabbitmq/rabbitmq.conf limits no message"
        with (folder / "rabbitmq.conf").open("a") as configuration:
            configuration.write(limit.group() + "\n")


@contextmanager
def break_in_ground(postgres: Postgres, processes: int, capped: bool, queues: int) -> Iterator[Ground]:
    """``processes``: 4, one per service, or 1 for all four. ``queues``: of its own that a tenant may have."""
    with tempfile.TemporaryDirectory(prefix="tandem-breakin-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "broker").mkdir()
        broker = DeployedBroker(folder / "broker")
        running: list[ServiceProcess] = []
        with ThreadPoolExecutor(1) as beside:  # a node takes ten seconds, and the services find it when it is there
            started = beside.submit(broker.start)
            owner = postgres.new_database()
            services = make_url(owner).set(username="breakin_services", password="breakin")
            settings = Settings(
                amqp_uri=broker.uri,
                management_url=broker.management_url,
                database_url=services.render_as_string(hide_password=False),
                database_owner_url=owner,
            )
            upgrade_databases(settings, SERVICES)
            started.result()
        try:
            groups = [tuple(SERVICES)] if processes == 1 else [(service,) for service in SERVICES]
            variables = {
                "TANDEM_AMQP_URI": broker.uri,
                "TANDEM_DATABASE_URL": settings.database_url,
                "TANDEM_RULES_DIR": str(ROOT / "rules"),
                "TANDEM_TENANT_IN_FLIGHT": "" if capped else "20000",
                "TANDEM_TENANT_QUEUES": str(queues),
                "TANDEM_MANAGEMENT_URL": broker.management_url,
            }
            running = [ServiceProcess(folder, "tandem", ("serve", *group), variables).launch() for group in groups]
            declare_services(settings)
            management = Management(broker.management_url)
            set_policies(management)
            tenants = Tenants(management)
            uris = {
                tenant: tenant_uri(broker.uri, tenant, tenants.add(tenant, TenantLimits()))
                for tenant in (HOSTILE, VICTIM, CROWD)
            }
            for process in running:
                process.until_ready(90)
            database = psycopg2.connect(owner.replace("+psycopg2", ""))
            database.autocommit = True
            with contextlib.closing(database):
                yield Ground(management, broker, database, running, uris)
        finally:
            for process in running:
                process.kill()
            broker.stop()
