"""Which database a process takes stored rule packs from."""

from collections.abc import Sequence
from typing import Any

from shared.db import rule_tables
from shared.db.engine import Database
from shared.db.rule_store import StoredRules
from shared.ops.settings import Settings

DECIDES = "periodization"
"""The service that answers ``rules.*``: where it runs, its database knows first."""


def stored_rules(services: Sequence[type[Any]], settings: Settings, durable: bool = True) -> StoredRules:
    """The rules stored in the database of one of these services; all of a process's services decide by the same."""
    chosen = next((service for service in services if service.name == DECIDES), services[0])
    database = Database(chosen.name, settings.database_url_of(chosen.name), durable, settings.database_answer_seconds)
    return StoredRules(database, rule_tables.of(chosen.metadata))
