"""The decision tree's answer: may this run follow this lift?"""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from tandem.views.console import GREEN, RED, YELLOW

_HEADLINES = {
    "go": ("Go: the run may follow the lift.", GREEN),
    "shorten": ("Shorten the run.", YELLOW),
    "separate": ("Separate the two.", YELLOW),
    "swap": ("Swap the run for active recovery.", RED),
}


def show_advice(console: Console, answer: Mapping[str, Any]) -> None:
    headline, colour = _HEADLINES[answer["answer"]]
    console.print(Text(headline, f"bold {colour}"))
    if answer["max_minutes"] is not None:
        console.print(f"  right after the lift at most {answer['max_minutes']:g} min")
    if answer["gap_hours"] is not None:
        console.print(f"  as wished from {answer['gap_hours']:g} h after the lift on")
    if answer.get("instead"):
        console.print(f"  instead: {answer['instead']}")
    for reason in answer["why"]:
        console.print(Text(f"  • {reason}"))
    for when, portion in (answer["fuel"] or {}).items():
        console.print(Text.assemble((f"  {when.replace('_', ' ')}: ", "bold"), _portion_line(portion)))
        for note in portion["notes"]:
            console.print(Text(f"    {note}", "dim"))


def _portion_line(portion: Mapping[str, Any]) -> str:
    parts = [
        _grams(portion.get("protein_g"), "g protein"),
        _grams(portion.get("carb_g"), "g carbohydrate"),
        _grams(portion.get("carb_g_per_hour"), "g carbohydrate an hour"),
    ]
    return ", ".join(part for part in parts if part)


def _grams(grams: Mapping[str, Any] | None, unit: str) -> str:
    if grams is None:
        return ""
    own = f" (for you {grams['target']:.0f})" if grams["target"] is not None else ""
    return f"{grams['from']:g} to {grams['to']:g} {unit}{own}"
