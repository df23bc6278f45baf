"""The three streams over some weeks as small charts: a column a day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from tandem.views.console import BAND_COLOURS, STREAM_COLOURS, number, short_date, spark

_LABEL = 10
_RATIO_TOP = 2.0
_LEVELS = "▁▂▃▄▅▆▇█"


def show_streams(console: Console, days: Sequence[Mapping[str, Any]]) -> None:
    """``days``: one load document per day, oldest first. Per stream a row of daily load and a row of its ratio."""
    console.print(Text(" " * _LABEL + _date_ruler([date.fromisoformat(day["date"]) for day in days]), "dim"))
    for name, colour in STREAM_COLOURS.items():
        streams = [day["streams"][name] for day in days]
        last = streams[-1]
        loads = Text.assemble((f"{name:<{_LABEL}}", f"bold {colour}"))
        loads.append_text(spark([stream["load"] for stream in streams], colour))
        loads.append(f"  {number(last['acute'])} of {number(last['chronic'])} AU a day", "dim")
        ratios = Text.assemble((f"{'  ratio':<{_LABEL}}", "dim"))
        ratios.append_text(_ratio_row(streams))
        ratios.append(f"  {number(last['acwr']['coupled'], 2)} ", "bold")
        ratios.append(last["band"] or last["status"], f"bold {BAND_COLOURS.get(last['band'] or '', 'grey62')}")
        console.print(loads)
        console.print(ratios)


def _ratio_row(streams: Sequence[Mapping[str, Any]]) -> Text:
    """Height = the coupled ratio up to 2, colour = its band; a middle dot where there is none."""
    row = Text()
    for stream in streams:
        ratio, band = stream["acwr"]["coupled"], stream["band"]
        if ratio is None:
            row.append("·", "grey50")
        else:
            level = round(min(ratio, _RATIO_TOP) / _RATIO_TOP * (len(_LEVELS) - 1))
            row.append(_LEVELS[level], BAND_COLOURS.get(band or "", "grey62"))
    return row


def _date_ruler(days: Sequence[date]) -> str:
    """Mondays written above their column, every second week."""
    ruler = [" "] * (len(days) + 8)
    mondays = [index for index, day in enumerate(days) if day.weekday() == 0]
    for index in mondays[::2]:
        label = short_date(days[index])
        ruler[index : index + len(label)] = list(label)
    return "".join(ruler).rstrip()
