"""The services' databases together: one schema or file and one chain of migrations each."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from shared.db.migrations import check, upgrade
from shared.ops.settings import Settings


def upgrade_databases(settings: Settings, services: Iterable[str]) -> dict[str, str]:
    """Apply what is missing; returns each service's revision."""
    return {service: upgrade(service, settings.database_url_of(service), migrations(service)) for service in services}


def check_databases(settings: Settings, services: Iterable[str]) -> dict[str, str]:
    """Each service's revision; raises ``SchemaOutdated`` where it is not the newest."""
    return {service: check(service, settings.database_url_of(service), migrations(service)) for service in services}


def migrations(service: str) -> Path:
    """The folder with a service's migrations."""
    package = find_spec(f"services.{service}")
    if package is None or package.origin is None:
        raise ValueError(f"no service {service}")
    return Path(package.origin).parent / "migrations"
