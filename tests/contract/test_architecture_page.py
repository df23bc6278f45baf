"""The architecture page draws what holds: the import contracts, the imports there are, the events that are heard."""

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest

from shared.bus.routes import Route
from tests.contract.diagrams import EVENTS, LIBRARIES, Diagram, UnreadLine, diagram_texts, flowcharts, ways
from tests.contract.documents import ROOT, read
from tests.contract.import_contracts import (
    CONTRACTS,
    LINTER,
    PACKAGES,
    Rooms,
    imports,
    in_the_tree,
    knowing,
    rooms_of,
    taken,
)

PAGE = read(ROOT / "docs" / "explanation" / "architecture.md")
CHARTS = flowcharts(PAGE)
WAYS = [text for text in diagram_texts(PAGE) if text.startswith("sequenceDiagram")]
each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


def drawn_otherwise(contract: Rooms, chart: Diagram) -> list[str]:
    """What of a contract the chart does not draw, and what it draws beside it."""
    permitted, drawn = contract.permitted(), {way for way in ways(chart.pairs) if way[0] != way[1]}
    return [
        *(f"not drawn: {room}" for room in contract.rooms if room not in chart.boxes),
        *(f"no room of the contract: {room}" for room in chart.boxes if room not in contract.rooms),
        *(f"permitted, no way: {start} --> {end}" for start, end in sorted(permitted - drawn)),
        *(f"not permitted: {start} --> {end}" for start, end in sorted(drawn - permitted - contract.siblings)),
    ]


def test_every_layers_contract_is_drawn_once() -> None:
    names = [contract.name for contract in CONTRACTS]
    assert len(names) == len(set(names)) > 1
    assert set(CHARTS) == {*names, LIBRARIES, EVENTS}


@each_contract
def test_rooms_and_arrows_are_those_of_the_contract(contract: Rooms) -> None:
    assert drawn_otherwise(contract, CHARTS[contract.name]) == []


@each_contract
def test_full_arrows_are_the_imports_there_are(contract: Rooms) -> None:
    full = {(arrow.start, arrow.end) for arrow in CHARTS[contract.name].arrows if not arrow.dotted}
    assert full == taken(contract, contract.permitted() | contract.siblings, imports())


@each_contract
def test_rooms_are_in_the_tree(contract: Rooms) -> None:
    lost = [room for room in contract.rooms if not any(map(in_the_tree, contract.full_names(room)))]
    assert lost == []


def test_who_knows_which_library() -> None:
    chart = CHARTS[LIBRARIES]
    libraries = chart.rounded
    forbidden = {name for one in LINTER["contracts"] if one["type"] == "forbidden" for name in one["forbidden_modules"]}
    assert {name for name in forbidden if name.partition(".")[0] not in PACKAGES} <= libraries
    drawn = {(chart.boxes[arrow.start], chart.boxes[arrow.end]) for arrow in chart.arrows}
    assert drawn == knowing(libraries)


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
    contract = rooms_of({"containers": ["x"], "layers": ["a", "(b)", "(d)", "c"]}, {"x.b"}.__contains__)
    if wrong is None:
        with pytest.raises(UnreadLine):
            flowcharts(page)
    else:
        assert drawn_otherwise(contract, flowcharts(page)["x"]) == wrong


def test_an_arrow_that_nobody_takes_is_seen() -> None:
    contract = rooms_of({"containers": ["x", "y"], "layers": ["a", "b : c"]}, in_the_tree)
    found = [("x.a.one", "x.b"), ("x.c", "y.b"), ("y.b", "y.c.two")]
    assert taken(contract, contract.permitted() | contract.siblings, found) == {("a", "b"), ("b", "c")}
