"""The load of one day, and of some weeks as small charts, per stream."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tandem.views.console import (
    BAND_COLOURS,
    STREAM_COLOURS,
    UNKNOWN,
    YELLOW,
    long_date,
    number,
    short_date,
    show_quality,
    spark,
)

STATUS_MEANING = {
    "ok": "",
    "provisional": "fewer than 28 days of records",
    "return-from-break": "after a break, a taper or a race: the last weeks were no usual ones to compare with",
    "incomplete": "a day in the window is unknown",
    "no-data": "nothing recorded",
}
LAPSE_WORDS = {
    "break": "A break",
    "race-recovery": "Recovering from a race",
    "returning": "Returning from a break",
    "not-recording": "Nothing recorded",
}
CONVENTION = (
    "acute = mean of 7 days, chronic = mean of 28, AU per day (minutes × CR-10 effort). The bands are a coaching "
    "convention on the coupled ratio: how fast load changed against your own last four weeks, no forecast of injury."
)


def show_load(console: Console, answer: Mapping[str, Any]) -> None:
    console.print(Text(f"Load on {long_date(answer['date'])}", "bold"))
    show_state(console, answer)
    console.print(load_table(answer["streams"]))
    show_statuses(console, answer["streams"])
    show_alerts(console, answer["alerts"])
    if answer.get("alerts_more"):
        console.print(f"and {answer['alerts_more']} more alerts.")
    show_quality(console, answer)
    console.print(Text(CONVENTION, "dim"))


def show_state(console: Console, answer: Mapping[str, Any]) -> None:
    """What the training is in, where the ratios mean something else."""
    state = answer.get("state")
    if state is not None:
        until = f", until {long_date(state['until'])}" if "until" in state else ""
        console.print(Text(f"{LAPSE_WORDS[state['name']]} since {long_date(state['since'])}{until}", YELLOW))


def load_table(streams: Mapping[str, Any]) -> Table:
    """One row per stream: numerator, denominator, the three ratios, the band, and the second views. 98 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    for name in ("day", "acute", "chronic", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("band", no_wrap=True, min_width=10)
    for name in ("uncoupled", "ewma", "monotony", "strain", "fitness", "fatigue", "form"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, stream in streams.items():
        ratios = stream["acwr"]
        table.add_row(
            Text(name, f"bold {STREAM_COLOURS.get(name, 'default')}"),
            number(stream["load"]),
            number(stream["acute"]),
            number(stream["chronic"]),
            Text(number(ratios["coupled"], 2), "bold"),
            band_text(stream),
            number(ratios["uncoupled"], 2),
            number(ratios["ewma"], 2),
            number(stream["monotony"], 2),
            number(stream["strain"]),
            number(stream["ctl"]),
            number(stream["atl"]),
            number(stream["tsb"]),
        )
    return table


def band_text(stream: Mapping[str, Any]) -> Text:
    """The band in its colour, or a dash where there is none."""
    band = stream["band"]
    return Text(UNKNOWN, YELLOW) if band is None else Text(str(band), f"bold {BAND_COLOURS[band]}")


def show_statuses(console: Console, streams: Mapping[str, Any]) -> None:
    """Why a stream has no band."""
    by_status: dict[str, list[str]] = {}
    for name, stream in streams.items():
        if stream["band"] is None:
            by_status.setdefault(stream["status"], []).append(name)
    for status, names in by_status.items():
        meaning = STATUS_MEANING.get(status) or "no band"
        console.print(Text.assemble(("no band for ", YELLOW), (", ".join(names), "bold"), f": {status}, {meaning}"))


def show_alerts(console: Console, alerts: list[Mapping[str, Any]]) -> None:
    for alert in alerts:
        console.print(Text.assemble(("▲ ", f"bold {YELLOW}"), alert["message"]))


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
