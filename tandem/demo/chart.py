"""The load chart as a picture: daily load by stream, and each stream's ratio against the bands."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, Locator

COLOURS = {"run": "#2a78b8", "lift": "#e3822b", "combined": "#5b4a91"}
BANDS = (
    ("under-load", 0.0, 0.8, "#dbe7f1"),
    ("optimal", 0.8, 1.3, "#ddf0dd"),
    ("caution", 1.3, 1.5, "#fbf0c9"),
    ("danger", 1.5, 9.0, "#f8d9d6"),
)
BAND_INK = {"under-load": "#5d7f9b", "optimal": "#4d8a4d", "caution": "#9a7b17", "danger": "#b2463d"}
# Of matplotlib's typed modules, the one for dates is not.
_NUMBERS_OF: Callable[[Sequence[date]], Sequence[float]] = mdates.date2num
_WEEKDAYS: Callable[..., Locator] = mdates.WeekdayLocator
_DAY_LABELS: Callable[[str], Formatter] = mdates.DateFormatter
_INK, _SOFT, _GRID = "#2b2b33", "#7a7a85", "#e6e6ea"
_LOWEST_TOP = 1.9
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": _INK,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
}


def save_load_chart(days: Sequence[Mapping[str, Any]], path: Path, note: str) -> None:
    """Draw ``days`` (one `tandem load --json` document per day, in order) into the PNG at ``path``.

    ``note`` stands at the foot: where the data come from. A day that is unknown leaves a gap, never a zero.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(12, 9), dpi=130, facecolor="white")
        grid = figure.add_gridspec(
            4, 1, height_ratios=[2.3, 1, 1, 1], hspace=0.16, left=0.075, right=0.87, top=0.905, bottom=0.085
        )
        when = [date.fromisoformat(day["date"]) for day in days]
        _draw_loads(figure.add_subplot(grid[0]), when, days)
        panels = [figure.add_subplot(grid[row]) for row in (1, 2, 3)]
        for axes, name in zip(panels, COLOURS, strict=True):
            _draw_ratio(axes, when, days, name)
        for axes in (*figure.axes,):
            _dress(axes, when, bottom=axes is panels[-1])
        figure.text(0.075, 0.955, "Training load in three streams", fontsize=17, fontweight="bold")
        span = f"{when[0]:%d %b} to {when[-1]:%d %b %Y}"
        figure.text(0.075, 0.925, f"{span} · AU = minutes × CR-10 effort", fontsize=10, color=_SOFT)
        figure.text(0.075, 0.022, note, fontsize=8, color=_SOFT)
        figure.savefig(path)


def _draw_loads(axes: Axes, when: list[date], days: Sequence[Mapping[str, Any]]) -> None:
    x = _NUMBERS_OF(when)
    run, lift = _series(days, "run", "load"), _series(days, "lift", "load")
    combined = _series(days, "combined", "load")
    other = [c - r - q for c, r, q in zip(combined, run, lift, strict=True)]
    axes.bar(x, run, width=0.78, color=COLOURS["run"], label="run")
    axes.bar(x, lift, bottom=run, width=0.78, color=COLOURS["lift"], label="lift")
    if any(value > 0.5 for value in other):
        both = [r + q for r, q in zip(run, lift, strict=True)]
        axes.bar(x, other, bottom=both, width=0.78, color="#b9b9c2", label="other")
    axes.plot(x, _series(days, "combined", "acute"), color=COLOURS["combined"], lw=2.0, label="acute, 7 days")
    axes.plot(x, _series(days, "combined", "chronic"), color=_INK, lw=1.6, ls=(0, (4, 2)), label="chronic, 28 days")
    axes.set_ylabel("AU per day")
    axes.set_ylim(0, max([1.0, *(value for value in combined if value == value)]) * 1.18)
    axes.legend(ncols=5, loc="upper left", frameon=False, fontsize=9, handlelength=1.4, columnspacing=1.4)


def _draw_ratio(axes: Axes, when: list[date], days: Sequence[Mapping[str, Any]], name: str) -> None:
    x = _NUMBERS_OF(when)
    ratio = [_number(day["streams"][name]["acwr"]["coupled"]) for day in days]
    known = [value for value in ratio if value == value]
    top = max(_LOWEST_TOP, min(4.0, max(known, default=0.0) * 1.08))
    for _, low, high, colour in BANDS:
        axes.axhspan(low, min(high, top), color=colour, lw=0, zorder=0)
    axes.axhline(1.0, color="white", lw=1.2, zorder=1)
    axes.plot(x, ratio, color=COLOURS[name], lw=2.2, zorder=3, solid_capstyle="round")
    axes.set_ylim(0.2, top)
    axes.set_yticks([0.8, 1.3, 1.5])
    axes.set_ylabel(name, color=COLOURS[name], fontweight="bold", fontsize=11)
    last = days[-1]["streams"][name]
    if known and ratio[-1] == ratio[-1]:
        axes.plot(x[-1:], ratio[-1:], "o", color=COLOURS[name], ms=7, mec="white", mew=1.4, zorder=4, clip_on=False)
        band = last["band"]
        label = axes.annotate(
            f"{ratio[-1]:.2f}", (x[-1], ratio[-1]), xytext=(13, -1), textcoords="offset points",
            fontsize=14, fontweight="bold", color=COLOURS[name], annotation_clip=False, va="center",
        )  # fmt: skip
        axes.annotate(
            band or last["status"], (1.0, 0.5), xycoords=label, xytext=(5, 0), textcoords="offset points",
            fontsize=9.5, color=BAND_INK.get(band or "", _SOFT), annotation_clip=False, va="center",
        )  # fmt: skip
    else:
        axes.text(1.01, 0.5, last["status"], transform=axes.transAxes, color=_SOFT, va="center")


def _dress(axes: Axes, when: list[date], bottom: bool) -> None:
    numbers = _NUMBERS_OF(when)
    axes.set_xlim(numbers[0] - 0.7, numbers[-1] + 0.7)
    axes.xaxis.set_major_locator(_WEEKDAYS(byweekday=mdates.MO))
    axes.xaxis.set_major_formatter(_DAY_LABELS("%-d %b"))
    axes.tick_params(length=0, labelbottom=bottom)
    axes.grid(axis="x", color=_GRID if axes.get_yticks().size > 3 else "white", lw=0.8, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _series(days: Sequence[Mapping[str, Any]], stream: str, figure: str) -> list[float]:
    return [_number(day["streams"][stream][figure]) for day in days]


def _number(value: float | None) -> float:
    """Matplotlib leaves a gap at NaN."""
    return float("nan") if value is None else float(value)
