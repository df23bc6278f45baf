"""The console, the colours and the small marks that every view shares."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from shared.contract.sessions import TAGS

BLUE, ORANGE, PURPLE, SKY = "#3d8bd4", "#e3822b", "#9a83d8", "#74a9d8"
GREEN, YELLOW, RED, TEAL = "#4fae6d", "#d9a93c", "#dc5a52", "#3fb8af"
STREAM_COLOURS = {"run": BLUE, "lift": ORANGE, "combined": PURPLE}
BAND_COLOURS = {"under-load": SKY, "optimal": GREEN, "caution": YELLOW, "danger": RED}
READINESS_COLOURS = {"green": GREEN, "yellow": YELLOW, "red": RED}
PHASE_COLOURS = {
    "base": SKY,
    "strength": ORANGE,
    "build": BLUE,
    "peak": PURPLE,
    "taper": TEAL,
    "race": RED,
    "deload": GREEN,
    "recovery": GREEN,
}
UNKNOWN = "–"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"


def open_console(*, stderr: bool = False) -> Console:
    """A console that colours only on a terminal (and honours NO_COLOR); 100 columns where there is none."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in console._environ:
        console.width = 100
    return console


def number(value: float | None, digits: int = 0) -> str:
    """``value`` with ``digits`` decimals; unknown is a dash, never a zero."""
    return (
        UNKNOWN
        if value is None
        else f"{value:.{digits}f}".replace("-0" if float(f"{value:.{digits}f}") == 0 else "\0", "0")
    )


def share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value * 100:.0f} %"


def long_date(day: date | str) -> str:
    """``Sun 16 Oct 2022``."""
    when = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{when:%a} {when.day} {when:%b %Y}"


def short_date(day: date | str) -> str:
    when = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{when.day} {when:%b}"


def clock(instant: datetime | str) -> str:
    when = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{when:%H:%M}"


def bar(value: float, full: float, width: int, colour: str) -> Text:
    """A horizontal bar of ``value`` out of ``full`` in eighths of a character, padded to ``width`` with dots."""
    eighths = round(max(0.0, min(1.0, value / full if full else 0.0)) * width * 8)
    whole, rest = divmod(eighths, 8)
    drawn = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return Text.assemble((drawn, colour), ("·" * (width - len(drawn)), "grey37"))


def spark(values: list[float | None], colour: str, full: float | None = None) -> Text:
    """One column per value; an unknown one is a middle dot, never a zero."""
    top = full or max((value for value in values if value is not None), default=0.0)
    text = Text()
    for value in values:
        if value is None:
            text.append("·", "grey50")
        else:
            level = round(value / top * (len(_LEVELS) - 1)) if top else 0
            text.append(_LEVELS[max(0, min(len(_LEVELS) - 1, level))], colour if value else "grey37")
    return text


def kind_colour(kind: str) -> str:
    """A kind's colour is its stream's, where it has one."""
    return STREAM_COLOURS.get(kind, "grey62")


def session_label(session: Mapping[str, Any]) -> str:
    """``lift lower heavy``, ``run easy``, ``bike``: what a session is, in the contract's words."""
    kind = session["kind"]
    words = [str(session[tag]) for tag in TAGS if session.get(tag)]
    return " ".join(words if kind == "other" and words else [kind, *words])


def rules_line(decided_by: list[Mapping[str, Any]] | None) -> str:
    """``recovery 1.0.0 (3f2a…): gate-reduced, …`` per pack, in order; empty when no rule took part."""
    packs: dict[str, list[str]] = {}
    for decision in decided_by or ():
        name = f"{decision['pack']} {decision['version']} ({decision['hash']})"
        if decision["rule"] not in packs.setdefault(name, []):
            packs[name].append(decision["rule"])
    return "; ".join(f"{pack}: {', '.join(rules)}" for pack, rules in packs.items())


def show_quality(console: Console, answer: Mapping[str, Any]) -> None:
    """What looks wrong among the records, each with what was done."""
    for doubt in answer.get("quality", ()):
        where = ", ".join(str(part) for part in doubt["where"].values())
        console.print(Text.assemble(("? ", f"bold {YELLOW}"), (f"{where}: ", "bold"), doubt["text"]))
    if answer.get("quality_more"):
        console.print(Text(f"? and {answer['quality_more']} more that look wrong", YELLOW))
