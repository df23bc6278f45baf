"""The trade-off as a picture: what the detector finds against what it cries over, one point for each limit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

Point = tuple[float, float, float]
"""The limit, the share of healthy athletes in whom something is found, and that of overreached ones."""
COLOURS = ("#2a78b8", "#e3822b")


def save_trade_off(curves: Mapping[str, Sequence[Point]], setting: str, note: str, path: Path) -> None:
    """One curve per dose; each point is named by its limit."""
    figure = Figure(figsize=(8, 6.5), dpi=130, facecolor="white")
    axes = figure.add_axes((0.1, 0.12, 0.86, 0.78))
    for (name, points), colour in zip(curves.items(), COLOURS, strict=False):
        axes.plot([100 * x for _, x, _ in points], [100 * y for *_, y in points], "o-", color=colour, label=name)
        for limit, x, y in points:
            axes.annotate(f"{limit:g}", (100 * x, 100 * y), textcoords="offset points", xytext=(5, -11), fontsize=8)
    axes.axvline(10, color="#b2463d", lw=0.8, ls=":")
    axes.set(
        xlabel="healthy athletes (autocorrelation 0.4) in whom something is found, %", ylabel="overreached found, %"
    )
    axes.set(xlim=(-1, None), ylim=(0, 103))
    axes.grid(color="#e6e6ea")
    axes.legend(loc="lower right", frameon=False)
    figure.text(0.1, 0.94, f"What is found against what is cried over, by {setting}", fontsize=13, fontweight="bold")
    figure.text(0.1, 0.02, note, fontsize=8, color="#7a7a85")
    figure.savefig(path)
