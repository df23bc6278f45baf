"""The season's weeks: phase, targets, and why each week is what it is."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tandem.views.console import PHASE_COLOURS, bar, long_date, number, share, short_date

_BAR = 14
_WIDE = 120


def show_season(console: Console, answer: Mapping[str, Any]) -> None:
    weeks = answer["weeks"]
    if not weeks:
        console.print("No weeks: the file has no season.")
        return
    console.print(Text(f"Season: {len(weeks)} weeks from {long_date(weeks[0]['start'])}", "bold"))
    for goal in answer["goals"]:
        console.print(Text(f"  {goal_line(goal)}"))
    console.print(season_table(weeks, console.width))


def season_table(weeks: list[Mapping[str, Any]], width: int) -> Table:
    """A row per week; bars of the run minutes where the terminal is wide enough."""
    bar_width = _BAR if width >= _WIDE else 0
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("wk", justify="right")
    table.add_column("from", no_wrap=True)
    table.add_column("phase", no_wrap=True)
    table.add_column("run min", justify="right")
    table.add_column("", no_wrap=True)
    for name in ("long", "easy", "lifts", "lower", "upper"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why")
    most = max((week["run_minutes"] for week in weeks), default=0.0)
    for week in weeks:
        colour = PHASE_COLOURS.get(week["phase"], "default")
        table.add_row(
            str(week["number"]),
            short_date(week["start"]),
            Text(week["phase"] + (" ▼" if week["deload"] else ""), f"bold {colour}"),
            number(week["run_minutes"]),
            bar(week["run_minutes"], most, bar_width, colour),
            number(week["long_run_minutes"]),
            share(week["easy_share"]),
            number(week["lift_sessions"]),
            number(week["lower_sets"]),
            number(week["upper_sets"]),
            Text("; ".join(reason_text(reason) for reason in week["reasons"]), "dim"),
        )
    return table


def goal_line(goal: Mapping[str, Any]) -> str:
    what = goal.get("name") or goal["id"]
    return f"{long_date(goal['date'])}: {what} ({goal['kind']}, {goal.get('class') or goal.get('goal_class') or 'A'})"


def reason_text(reason: Any) -> str:
    return str(reason.get("message") or reason.get("reason") or reason) if isinstance(reason, Mapping) else str(reason)
