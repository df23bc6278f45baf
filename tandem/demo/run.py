"""Runs the demo: reads the athlete, plays it, prints the report, saves calendar and chart."""

import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tandem.athlete_file.reader import locate_athlete_file
from tandem.athlete_file.source import read_text
from tandem.demo.chart import save_load_chart
from tandem.demo.play import Played, play
from tandem.demo.report import show_athlete, show_files, show_messages, show_played
from tandem.offline.pipeline import default_day, next_week
from tandem.views.console import open_console

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "athletes" / "runner-who-lifts.yaml"


def run_demo(athlete_path: Path | None, rules_dir: Path, out: Path) -> Played:
    """Play the athlete file and show what came back. Raises ``BadFile`` and ``RuleFileErrors``."""
    path = athlete_path or EXAMPLE
    located = locate_athlete_file(read_text(path), str(path))
    file = located.athlete_file
    on = default_day(located)
    week_start = file.week.start if file.week else next_week(file.athlete and file.athlete.profile(), on)
    console = open_console()
    show_athlete(console, path.stem.replace("-", " "), file.notes)
    with tempfile.TemporaryDirectory(prefix="tandem-demo-") as folder, _progress(console) as progress:
        played = play(file, on, week_start, Path(folder), rules_dir, progress)
    show_played(console, played)
    show_files(console, save(played, out, _origin(file.notes)))
    show_messages(console, played)
    return played


def save(played: Played, out: Path, note: str) -> dict[str, Path]:
    """Write calendar, chart and the services' answers as JSON into ``out``; returns what was written where."""
    out.mkdir(parents=True, exist_ok=True)
    files = {"calendar": out / "next-week.ics", "load chart": out / "load.png", "answers": out / "answers.json"}
    files["calendar"].write_bytes(played.calendar.encode())
    answers = {"load": played.load, "readiness": played.readiness, "season": played.season, "week": played.week}
    files["answers"].write_text(json.dumps(answers, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    save_load_chart(played.load["days"], files["load chart"], note)
    return files


def _progress(console: Console) -> Progress:
    """A bar on a terminal, nothing elsewhere. It is refreshed by hand: a refresh thread would be one of the hub's."""
    columns = (BarColumn(bar_width=40), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal)


def _origin(notes: dict[str, str] | None) -> str:
    return "\n".join(f"{kind}: {note.strip()}" for kind, note in (notes or {}).items())
