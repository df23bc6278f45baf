"""Mermaid flowcharts in a page: their boxes and arrows, under the name that a comment ``%% NAME`` in them gives."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

LIBRARIES = "libraries"
EVENTS = "events"
"""Names of the two charts that are of no import contract."""
_BLOCK = re.compile(r"(?ms)^```mermaid\n(.*?)^```")
_NAME = re.compile(r"(?m)^ *%% *(.+?) *$")
_BOX = re.compile(r'^(\w+)([\[({]+)"?(.+?)"?[\])}]+$')
_ARROW = re.compile(r"^([\w &]+?) *(-->|-\.->)(?:\|([^|]*)\|)? *([\w &]+)$")


@dataclass(frozen=True, slots=True)
class Arrow:
    """``dotted``: may be taken and is not. ``label``: what stands on it."""

    start: str
    end: str
    dotted: bool = False
    label: str = ""


@dataclass(slots=True)
class Diagram:
    name: str
    boxes: dict[str, str] = field(default_factory=dict)
    rounded: set[str] = field(default_factory=set)
    """Those drawn with round ends, ``([…])``."""
    arrows: set[Arrow] = field(default_factory=set)

    @property
    def pairs(self) -> set[tuple[str, str]]:
        return {(arrow.start, arrow.end) for arrow in self.arrows}


def ways(arrows: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Every (start, end) with a way along arrows."""
    pairs = set(arrows)
    while further := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= further
    return pairs


class UnreadLine(ValueError):
    """A line of a flowchart that is neither box nor arrow nor frame: it would be drawn and not compared."""


def diagram_texts(page: str) -> list[str]:
    return _BLOCK.findall(page)


def flowcharts(page: str) -> dict[str, Diagram]:
    """By their names; a flowchart without a name is a picture that nothing is compared with."""
    found = [_read(text) for text in diagram_texts(page) if text.startswith("flowchart") and _NAME.search(text)]
    return {one.name: one for one in found}


def _read(text: str) -> Diagram:
    name = _NAME.search(text)
    assert name is not None
    diagram = Diagram(name[1])
    for raw in text.splitlines()[1:]:
        line = raw.strip()
        if not line or line == "end" or line.startswith(("%%", "subgraph ", "direction ", "classDef ", "class ")):
            continue
        if box := _BOX.match(line):
            diagram.boxes[box[1]] = box[3]
            if box[2] == "([":
                diagram.rounded.add(box[1])
        elif arrow := _ARROW.match(line):
            for start in arrow[1].split("&"):
                for end in arrow[4].split("&"):
                    diagram.arrows.add(Arrow(start.strip(), end.strip(), arrow[2] == "-.->", (arrow[3] or "").strip()))
        else:
            raise UnreadLine(line)
    return diagram
