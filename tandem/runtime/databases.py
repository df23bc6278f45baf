"""The services' databases together: one schema or file and one chain of migrations each."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.db.engine import Database
from shared.db.migrations import check, upgrade
from shared.db.row_security import is_bound
from shared.db.rule_store import StoredRules, forget_tenant
from shared.db.server_log import cure
from shared.hub import Hub
from shared.ops.settings import Settings


def upgrade_databases(settings: Settings, services: Iterable[str]) -> dict[str, str]:
    """Apply what is missing, as the owner where one is set; returns each service's revision."""
    owner, done = settings.database_owner_url, {}
    for service in services:
        url = settings.database_url_of(service)
        done[service] = upgrade(service, owner or url, migrations(service), url if owner else None)
    return done


def unbound_services(settings: Settings, services: Iterable[str]) -> list[str]:
    """Services on PostgreSQL whose role owns their tables or is a superuser: row-level security does not bind it."""
    unbound = []
    for service in services:
        database = Database(service, settings.database_url_of(service))
        try:
            if not database.is_sqlite:
                with database.engine.connect() as connection:
                    if not is_bound(connection, service):
                        unbound.append(service)
        finally:
            database.dispose()
    return unbound


def log_cures(settings: Settings, services: Iterable[str]) -> list[str]:
    """SQL for a superuser, one text per role whose values PostgreSQL's own log would hold."""
    cures = []
    for service in services:
        database = Database(service, settings.database_url_of(service))
        try:
            if not database.is_sqlite:
                with database.engine.connect() as connection:
                    cures.append(cure(connection))
        finally:
            database.dispose()
    return list(dict.fromkeys(found for found in cures if found))


def check_databases(settings: Settings, services: Iterable[str], hub: Hub | None = None) -> dict[str, str]:
    """Each service's revision; raises ``SchemaOutdated`` where it is not the newest. ``hub``: where others run too."""
    within_s = None if hub is None else settings.database_answer_seconds
    return {
        service: check(service, settings.database_url_of(service), migrations(service), within_s, hub)
        for service in services
    }


def migrations(service: str) -> Path:
    """The folder with a service's migrations."""
    package = find_spec(f"services.{service}")
    if package is None or package.origin is None:
        raise ValueError(f"no service {service}")
    return Path(package.origin).parent / "migrations"


DECIDES = "periodization"
"""The service that answers ``rules.*``: where it runs, its database knows first."""


def stored_rules(services: Sequence[type[Any]], settings: Settings, hub: Hub, durable: bool = True) -> StoredRules:
    """The rules stored in the database of one of these services; all of a process's services decide by the same."""
    chosen = next((service for service in services if service.name == DECIDES), services[0])
    url, answers_within_s = settings.database_url_of(chosen.name), settings.database_answer_seconds
    database = Database(chosen.name, url, durable, answers_within_s, hub=hub)
    return StoredRules(database)


def forget_stored_rules(tenant: str, services: Iterable[str], settings: Settings) -> dict[str, int]:
    """Deletes all that these services store of a tenant's rules; rows by service. Doing it again deletes nothing."""
    deleted = {}
    for service in services:
        database = Database(service, settings.database_url_of(service))
        try:
            with database.transaction() as db:
                deleted[service] = forget_tenant(db, tenant)
        finally:
            database.dispose()
    return deleted
