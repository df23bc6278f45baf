"""A field that is accepted is read, or stands among those that are not read yet; the same of modules."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contract.unread import UNCALLED_MODULES, UNREAD_FIELDS
from shared.contract.wellness import WELLNESS
from shared.messages.values import Value

ROOT = Path(__file__).resolve().parents[2]
MODELS_IN = (
    "shared.messages.values",
    "services.load.messages",
    "services.recovery.messages",
    "services.periodization.messages",
    "services.scheduling.messages",
    "tandem.athlete_file.model",
)
READ_BY_THE_TABLE = {name for name, item in WELLNESS.items() if item.usual or item.factor or item.asked}


def sources() -> Iterator[Path]:
    for folder in ("services", "shared", "tandem"):
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts and path.name != "unread.py":
                yield path


def names_read(source: str) -> set[str]:
    """What code could read of an object or a mapping: attributes, and texts that may be a key."""
    read: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            read.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            read.add(node.value)
    return read


def modules_imported(source: str) -> set[str]:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    return imported


def fields_accepted() -> set[str]:
    return {
        field
        for module in map(importlib.import_module, MODELS_IN)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, Value)
        for field in model.model_fields
    }


def test_exactly_the_marked_fields_are_accepted_and_not_read() -> None:
    read = {name for path in sources() for name in names_read(path.read_text(encoding="utf-8"))}
    assert fields_accepted() - read - READ_BY_THE_TABLE == UNREAD_FIELDS


def test_exactly_the_marked_modules_are_called_by_nobody() -> None:
    imported = {name for path in sources() for name in modules_imported(path.read_text(encoding="utf-8"))}
    below_shared = {f"shared.{path.parent.name}" for path in (ROOT / "shared").glob("*/__init__.py")}
    used = {name for name in below_shared if any(one == name or one.startswith(f"{name}.") for one in imported)}
    assert below_shared - used == UNCALLED_MODULES


@pytest.mark.parametrize("source", ["profile.birth_year", "profile['birth_year']", "getattr(profile, 'birth_year')"])
def test_a_read_is_seen(source: str) -> None:
    assert "birth_year" in names_read(source)


@pytest.mark.parametrize("source", ["birth_year = 1", "class Profile:\n    birth_year: int", "profile.birth_year = 1"])
def test_what_is_no_read_is_not_taken_for_one(source: str) -> None:
    assert "birth_year" not in names_read(source)
