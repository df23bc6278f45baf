"""What the demo prints: the athlete, the streams, readiness, the season, next week, the files and the messages."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from shared.contract.words import SERVICES
from tandem.demo.play import Played
from tandem.views.calendar import show_week
from tandem.views.console import GREEN, YELLOW, long_date, rules_line
from tandem.views.load import load_table, show_alerts, show_statuses, show_streams
from tandem.views.readiness import show_readiness
from tandem.views.season import show_season

NOTE_COLOURS = {"real": GREEN, "simulated": YELLOW}


def show_athlete(console: Console, name: str, notes: Mapping[str, str] | None) -> None:
    """Who is played, and which of the data are real."""
    console.print(Text.assemble(("Tandem", "bold"), f" plays {name} through {', '.join(SERVICES)}"))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    for kind, note in (notes or {}).items():
        table.add_row(Text(kind, f"bold {NOTE_COLOURS.get(kind, 'default')}"), Text(note.strip(), "dim"))
    console.print(table)


def show_played(console: Console, played: Played) -> None:
    """The four answers, each with the packs and rules that decided it."""
    _section(console, f"Load: three streams over the last eight weeks, to {long_date(played.load['date'])}")
    show_streams(console, played.load["days"])
    console.print()
    console.print(load_table(played.load["streams"]))
    show_statuses(console, played.load["streams"])
    show_alerts(console, played.load["alerts"])
    _section(console, "Readiness")
    show_readiness(console, played.readiness)
    _section(console, "Season")
    show_season(console, played.season)
    _section(console, f"Next week, from {long_date(played.week['week_start'])}")
    show_week(console, played.week)
    decided = [*played.readiness.get("decided_by", ()), *played.season.get("decided_by", ())]
    decided += played.week.get("decided_by", ())
    console.print()
    console.print(Text(f"Decided by: {rules_line(decided)}", "dim"))


def show_files(console: Console, files: Mapping[str, Path]) -> None:
    _section(console, "Saved")
    for what, path in files.items():
        console.print(Text.assemble((f"  {what:<12}", "bold"), str(path)), soft_wrap=True)


def show_messages(console: Console, played: Played) -> None:
    """How many messages each service took and sent."""
    _section(console, "Messages")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("service", "commands and queries", "events"):
        table.add_column(name)
    for service in SERVICES:
        table.add_row(Text(service, "bold"), _counts(played.sent, service), _counts(played.events, service))
    table.add_row(Text("all four", "bold"), _counts(played.sent, "athlete"), "")
    console.print(table)
    total_sent, total_events = played.sent.total(), played.events.total()
    line = f"{total_sent} commands and queries, {total_events} events, {played.parked} parked"
    console.print(Text(f"{line}; {played.seconds:.1f} s", "dim"))


def _counts(counter: Counter[str], service: str) -> str:
    found: dict[str, Any] = {
        key.partition(".")[2]: count for key, count in counter.items() if key.partition(".")[0] == service
    }
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items(), key=lambda item: -item[1]))


def _section(console: Console, title: str) -> None:
    console.print()
    console.print(Rule(Text(title, "bold"), align="left", style="grey37"))
