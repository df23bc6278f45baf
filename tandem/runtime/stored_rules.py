"""Which database a process takes stored rule packs from."""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.db.engine import Database
from shared.db.rule_store import StoredRules, forget_tenant
from shared.hub import Hub
from shared.ops.settings import Settings

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
