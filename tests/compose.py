"""docker-compose.yml as the tests read it: merged, with its variables filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::-(?P<default>[^}]*))?\}")


def fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    """``value`` with ``${NAME:-default}`` replaced in every string, as Compose does."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: variables.get(found["name"]) or found["default"] or "", value)
    if isinstance(value, Mapping):
        return {key: fill_in(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, variables) for item in value]
    return value


def read_compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file as plain dicts and lists."""
    filled: dict[str, Any] = fill_in(YAML(typ="safe").load(FILE), variables or {})
    return filled
