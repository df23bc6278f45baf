"""The four services, found by name."""

from importlib import import_module
from typing import Any

from shared.contract.words import SERVICES


def service_named(name: str) -> type[Any]:
    """A nameko service class. Only its own service is imported: a process that runs one needs not load the others."""
    service: type[Any] = getattr(import_module(f"services.{name}.service"), f"{name.capitalize()}Service")
    return service


def all_services() -> list[type[Any]]:
    """The four nameko service classes."""
    return [service_named(name) for name in SERVICES]
