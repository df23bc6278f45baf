"""The import contracts of pyproject.toml, and the imports there are, as sets of rooms and arrows."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from typing import Any

import grimp

from tests.contract.documents import ROOT, read

LINTER: dict[str, Any] = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]
PACKAGES: list[str] = LINTER["root_packages"]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rooms:
    """A layers contract: its rooms from the top down, and the packages in which they lie (none: the tree's root)."""

    containers: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    siblings: frozenset[Pair] = frozenset()
    """Pairs of one layer that may import each other (``a : b``)."""

    @property
    def name(self) -> str:
        if not self.containers:
            return "the tree"
        parent, _, _ = self.containers[0].rpartition(".")
        return self.containers[0] if len(self.containers) == 1 else f"{parent}.*"

    @property
    def rooms(self) -> list[str]:
        return [room for layer in self.layers for room in layer]

    def permitted(self) -> set[Pair]:
        """(above, below): the first may import the second."""
        levels = range(len(self.layers))
        return {pair for i in levels for j in levels if i < j for pair in product(self.layers[i], self.layers[j])}

    def full_names(self, room: str) -> list[str]:
        return [f"{container}.{room}" for container in self.containers] or [room]


def rooms_of(contract: Mapping[str, Any], is_there: Callable[[str], bool]) -> Rooms:
    """Without rooms that a contract calls optional (``(room)``) and that none of the containers has."""
    containers = tuple(contract.get("containers", ()))
    layers, friends = [], set()
    for text in contract["layers"]:
        rooms = re.findall(r"\(?[\w.]+\)?", text)
        optional = {room.strip("()") for room in rooms if room.startswith("(")}
        names = [room.strip("()") for room in rooms]
        there = [room for room in names if room not in optional or any(is_there(f"{c}.{room}") for c in containers)]
        layers.append(tuple(there))
        if ":" in text:
            friends |= set(permutations(there, 2))
    return Rooms(containers, tuple(layers), frozenset(friends))


def in_the_tree(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


CONTRACTS = [rooms_of(contract, in_the_tree) for contract in LINTER["contracts"] if contract["type"] == "layers"]


@cache
def imports() -> frozenset[Pair]:
    """(importer, imported), module by module; of a library only its name."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True)
    return frozenset((a, b) for a in graph.modules for b in graph.find_modules_directly_imported_by(a))


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def taken(contract: Rooms, pairs: Iterable[Pair], imports: Iterable[Pair]) -> set[Pair]:
    """Those of the pairs of rooms between which something is imported, in any of the containers."""
    among = list(imports)
    return {
        (start, end)
        for start, end in pairs
        for one, other in zip(contract.full_names(start), contract.full_names(end), strict=True)
        if any(within(a, one) and within(b, other) for a, b in among)
    }


def room_of(module: str) -> str:
    """The folder or file whose business a library is: as deep as the tree's rooms."""
    parts = module.split(".")
    if parts[0] == "services":
        return ".".join(["services", "*", *parts[2:3]])
    depth = 3 if parts[:2] in (["shared", "bus"], ["shared", "rules"]) else 2
    return ".".join(parts[:depth])


def knowing(libraries: Iterable[str]) -> set[Pair]:
    """(room, library): who imports which of them."""
    wanted = set(libraries)
    return {(room_of(importer), imported) for importer, imported in imports() if imported in wanted}
