"""``python -m tests.contract.redraw``: draws the rooms of the architecture page anew, and keeps what their boxes say.

What a new room is for is then to be written into its box by hand.
"""

import re
from itertools import pairwise, product

from tests.contract.diagrams import LIBRARIES, flowcharts, ways
from tests.contract.documents import ROOT, read
from tests.contract.import_contracts import CONTRACTS, Pair, Rooms, imports, knowing, taken

PAGE = ROOT / "docs" / "explanation" / "architecture.md"


def drawing(contract: Rooms, labels: dict[str, str]) -> str:
    full = taken(contract, contract.permitted() | contract.siblings, imports())
    dotted: set[Pair] = set()
    for above, below in pairwise(contract.layers):
        for pair in product(above, below):
            if pair not in ways(full | dotted):
                dotted.add(pair)
    boxes = [f'{room}["{labels.get(room, room)}"]' for room in contract.rooms]
    arrows = [
        line
        for room in contract.rooms
        for line in (*_arrows(room, "-->", full, contract.rooms), *_arrows(room, "-.->", dotted, contract.rooms))
    ]
    return _chart("TB", contract.name, [*boxes, *arrows])


def libraries_drawing(libraries: list[str]) -> str:
    pairs = knowing(libraries)
    rooms = sorted({room for room, _ in pairs})
    names = {room: room.replace("*", "each").replace(".", "_") for room in rooms}
    boxes = [f'{names[room]}["{room}"]' for room in rooms] + [f"{library}([{library}])" for library in libraries]
    drawn = {(names[room], library) for room, library in pairs}
    return _chart(
        "LR", LIBRARIES, [*boxes, *(line for room in rooms for line in _arrows(names[room], "-->", drawn, libraries))]
    )


def _arrows(start: str, kind: str, pairs: set[Pair], order: list[str]) -> list[str]:
    ends = [end for end in order if (start, end) in pairs]
    return [f"{start} {kind} {' & '.join(ends)}"] if ends else []


def _chart(direction: str, name: str, lines: list[str]) -> str:
    return "\n".join([f"flowchart {direction}", f"    %% {name}", *(f"    {line}" for line in lines), ""])


def main() -> None:
    text = read(PAGE)
    charts = flowcharts(text)
    drawings = {one.name: drawing(one, charts[one.name].boxes if one.name in charts else {}) for one in CONTRACTS}
    libraries = charts[LIBRARIES]
    drawings[LIBRARIES] = libraries_drawing([box for box in libraries.boxes if box in libraries.rounded])
    for name, drawn in drawings.items():
        chart = re.compile(rf"(?ms)^flowchart \w+\n *%% {re.escape(name)}\n.*?(?=^```)")
        if chart.search(text) is None:
            print(f"no drawing of {name} yet; put this where it belongs:\n\n```mermaid\n{drawn}```\n")
        text = chart.sub(lambda _, drawn=drawn: drawn, text)  # type: ignore[misc]
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
