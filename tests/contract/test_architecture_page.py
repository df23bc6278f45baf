"""The architecture page draws what holds: the import contracts, the imports there are, the events that are heard."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import permutations, product
from pathlib import Path
from typing import Any

import grimp
import pytest

from shared.bus.routes import Route
from tests.contract.diagrams import Arrow, Diagram, UnreadLine, diagram_texts, flowcharts
from tests.contract.documents import ROOT, read

PAGE = read(ROOT / "docs" / "explanation" / "architecture.md")
CHARTS = flowcharts(PAGE)
WAYS = [text for text in diagram_texts(PAGE) if text.startswith("sequenceDiagram")]
LINTER: dict[str, Any] = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]
PACKAGES: list[str] = LINTER["root_packages"]
LIBRARIES = "libraries"
EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Rooms:
    """A layers contract: its rooms from the top down, and the packages in which they lie (none: the tree's root)."""

    containers: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    siblings: frozenset[tuple[str, str]] = frozenset()
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

    def permitted(self) -> set[tuple[str, str]]:
        """(above, below): the first may import the second."""
        levels = range(len(self.layers))
        return {pair for i in levels for j in levels if i < j for pair in product(self.layers[i], self.layers[j])}

    def full_names(self, room: str) -> list[str]:
        return [f"{container}.{room}" for container in self.containers] or [room]


def rooms_of(contract: Mapping[str, Any]) -> Rooms:
    layers = tuple(tuple(re.findall(r"[\w.]+", layer)) for layer in contract["layers"])
    friends = {
        pair
        for text, layer in zip(contract["layers"], layers, strict=True)
        if ":" in text
        for pair in permutations(layer, 2)
    }
    return Rooms(tuple(contract.get("containers", ())), layers, frozenset(friends))


CONTRACTS = [rooms_of(contract) for contract in LINTER["contracts"] if contract["type"] == "layers"]
each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


@pytest.fixture(scope="module")
def imports() -> set[tuple[str, str]]:
    """(importer, imported), module by module; of a library only its name."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True)
    return {(a, b) for a in graph.modules for b in graph.find_modules_directly_imported_by(a)}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def taken(contract: Rooms, pairs: Iterable[tuple[str, str]], imports: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the pairs of rooms between which something is imported, in any of the containers."""
    return {
        (start, end)
        for start, end in pairs
        for one, other in zip(contract.full_names(start), contract.full_names(end), strict=True)
        if any(within(a, one) and within(b, other) for a, b in imports)
    }


def drawn_otherwise(contract: Rooms, chart: Diagram) -> list[str]:
    """What of a contract the chart does not draw, and what it draws beside it."""
    permitted, ways = contract.permitted(), {way for way in chart.reachable() if way[0] != way[1]}
    return [
        *(f"not drawn: {room}" for room in contract.rooms if room not in chart.boxes),
        *(f"no room of the contract: {room}" for room in chart.boxes if room not in contract.rooms),
        *(f"permitted, no way: {start} --> {end}" for start, end in sorted(permitted - ways)),
        *(f"not permitted: {start} --> {end}" for start, end in sorted(ways - permitted - contract.siblings)),
    ]


def test_every_layers_contract_is_drawn_once() -> None:
    names = [contract.name for contract in CONTRACTS]
    assert len(names) == len(set(names)) > 1
    assert set(CHARTS) == {*names, LIBRARIES, EVENTS}


@each_contract
def test_rooms_and_arrows_are_those_of_the_contract(contract: Rooms) -> None:
    assert drawn_otherwise(contract, CHARTS[contract.name]) == []


@each_contract
def test_full_arrows_are_taken_and_dotted_ones_are_not(contract: Rooms, imports: set[tuple[str, str]]) -> None:
    chart = CHARTS[contract.name]
    used = taken(contract, chart.pairs, imports)
    assert [arrow for arrow in chart.arrows if arrow.dotted == ((arrow.start, arrow.end) in used)] == []
    assert taken(contract, contract.siblings, imports) <= chart.pairs


@each_contract
def test_rooms_are_in_the_tree(contract: Rooms, imports: set[tuple[str, str]]) -> None:
    modules = {module for pair in imports for module in pair}
    lost = [
        room
        for room in contract.rooms
        if not any(within(module, name) for name in contract.full_names(room) for module in modules)
    ]
    assert lost == []


def test_who_knows_which_library(imports: set[tuple[str, str]]) -> None:
    chart = CHARTS[LIBRARIES]
    libraries = {label for box, label in chart.boxes.items() if box not in {arrow.start for arrow in chart.arrows}}
    forbidden = {name for one in LINTER["contracts"] if one["type"] == "forbidden" for name in one["forbidden_modules"]}
    assert {name for name in forbidden if name.partition(".")[0] not in PACKAGES} <= libraries
    drawn = {(chart.boxes[arrow.start], chart.boxes[arrow.end]) for arrow in chart.arrows}
    knowing = {(room_with_library(importer), imported) for importer, imported in imports if imported in libraries}
    assert drawn == knowing


def room_with_library(module: str) -> str:
    """The folder or file whose business a library is: as deep as the tree's rooms."""
    parts = module.split(".")
    if parts[0] == "services":
        return ".".join(["services", "*", *parts[2:3]])
    depth = 3 if parts[:2] in (["shared", "bus"], ["shared", "rules"]) else 2
    return ".".join(parts[:depth])


SERVICES = next(one["modules"] for one in LINTER["contracts"] if one["type"] == "independence")
ROUTES: dict[str, tuple[Route, ...]] = {
    service.rpartition(".")[2]: import_module(f"{service}.handlers").ROUTES for service in SERVICES
}


def heard() -> set[tuple[str, str, str]]:
    """(who publishes, the event, who listens)."""
    return {
        (publisher, event, listener)
        for listener, routes in ROUTES.items()
        for route in routes
        if route.source == "event"
        for publisher, _, event in [route.key.partition(".")]
    }


def test_who_hears_whom() -> None:
    drawn = {
        (arrow.start, event.strip(), arrow.end)
        for arrow in CHARTS[EVENTS].arrows
        for event in arrow.label.replace("<br>", ",").split(",")
    }
    assert drawn == heard()


def files_named(way: str) -> Iterable[tuple[str, list[Path]]]:
    """Each file that a step names, and where it is: at its path, or in the room of one of the step's two ends."""
    rooms = dict(re.findall(r"(?m)^ *participant (\w+) as ([\w/]+)$", way))
    for start, end, text in re.findall(r"(?m)^ *(\w+)-+>>(\w+): (.+)$", way):
        for name in re.findall(r"[\w/]+\.(?:py|yaml)\b", text):
            if "/" in name:
                yield name, list(ROOT.glob(name))
            else:
                folders = [ROOT / rooms[one] for one in (start, end) if "/" in rooms.get(one, "")]
                yield name, [file for folder in folders for file in folder.rglob(name)]


def test_the_ways_name_files_that_exist() -> None:
    named = [named for way in WAYS for named in files_named(way)]
    assert len(named) > 20
    assert [name for name, found in named if not found] == []


def test_the_ways_name_messages_that_exist() -> None:
    named = {name for text in WAYS for name in re.findall(rf"\b(?:{'|'.join(ROUTES)})\.[a-z]+-[a-z-]+", text)}
    assert len(named) > 2
    assert named <= {route.key for routes in ROUTES.values() for route in routes}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a[a]\nb[b]\nc[c]\na --> b\nb --> c", []),
        ("a[a]\nb[b]\nc[c]\na --> b & c\nb -.-> c", []),
        ("a[a]\nb[b]\nc[c]\na --> b", ["permitted, no way: a --> c", "permitted, no way: b --> c"]),
        ("a[a]\nb[b]\nc[c]\na --> b --> c", None),
        ("a[a]\nb[b]\nc[c]\nd[d]\na --> b\nb --> c", ["no room of the contract: d"]),
        ("a[a]\nb[b]\na --> b & c\nb --> c", ["not drawn: c"]),
        ("a[a]\nb[b]\nc[c]\na --> b\nb --> c\nc --> b", ["not permitted: c --> b"]),
    ],
)
def test_a_wrong_drawing_is_seen(text: str, wrong: list[str] | None) -> None:
    page = f"```mermaid\nflowchart TD\n%% x\n{text}\n```\n"
    contract = rooms_of({"containers": ["x"], "layers": ["a", "(b)", "c"]})
    if wrong is None:
        with pytest.raises(UnreadLine):
            flowcharts(page)
    else:
        assert drawn_otherwise(contract, flowcharts(page)["x"]) == wrong


def test_an_arrow_that_nobody_takes_is_seen() -> None:
    contract = rooms_of({"containers": ["x"], "layers": ["a", "b | c"]})
    imports = {("x.a.one", "x.b"), ("x.c", "x.b")}
    assert taken(contract, {("a", "b"), ("a", "c")}, imports) == {("a", "b")}
    assert Arrow("a", "c", dotted=True) != Arrow("a", "c")
