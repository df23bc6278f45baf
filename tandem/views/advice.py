"""The decision tree's answer: may this run follow this lift?"""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

_HEADLINES = {
    "go": ("Go: the run may follow the lift.", "green3"),
    "shorten": ("Shorten the run.", "yellow3"),
    "separate": ("Separate the two.", "yellow3"),
    "swap": ("Swap the run for active recovery.", "red1"),
}


def show_advice(console: Console, answer: Mapping[str, Any]) -> None:
    headline, colour = _HEADLINES[answer["answer"]]
    console.print(Text(headline, f"bold {colour}"))
    if answer.get("max_minutes") is not None:
        console.print(f"  at most {answer['max_minutes']:g} min")
    if answer.get("gap_hours") is not None:
        console.print(f"  at least {answer['gap_hours']:g} h after the lift")
    for reason in answer["why"]:
        console.print(Text(f"  • {reason}"))
    fuel = answer.get("fuel")
    if fuel:
        console.print(Text("  Fuel: " + "; ".join(_fuel_line(name, value) for name, value in fuel.items())))


def _fuel_line(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if isinstance(value, list) and len(value) == 2:
        return f"{words} {value[0]:g} to {value[1]:g}"
    return (
        f"{words} {value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else f"{words} {value}"
    )
