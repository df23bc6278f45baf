"""The verdict on a proposed calendar: what is refused, what is warned of, and where it could stand instead."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tandem.views.console import GREEN, RED, YELLOW


def show_verdict(console: Console, answer: Mapping[str, Any]) -> None:
    accepted = answer["verdict"] == "accepted"
    violations, warnings = answer["violations"], answer["warnings"]
    headline = Text(answer["verdict"].capitalize(), f"bold {GREEN}" if accepted else f"bold {RED}")
    counts = f": {_count(violations, 'hard rule')} broken, {_count(warnings, 'warning')}"
    console.print(headline.append(counts, "bold"))
    for finding in violations:
        _show(console, finding, "✗", RED)
    for finding in warnings:
        _show(console, finding, "!", YELLOW)
    for finding in answer.get("remarks", ()):
        _show(console, finding, "·", "dim")
    for note in answer.get("notes", ()):
        console.print(Text(note, "dim"))


def _show(console: Console, finding: Mapping[str, Any], mark: str, colour: str) -> None:
    lines = Table.grid(padding=(0, 1, 0, 0))
    sessions = ", ".join(finding["sessions"])
    lines.add_row(Text(mark, f"bold {colour}"), Text.assemble((f"{sessions}: ", "bold"), finding["message"]))
    details = [finding["rule"], *_measurements(finding)]
    if finding.get("source"):
        details.append(f"source: {finding['source']}")
    lines.add_row("", Text(" · ".join(details), "dim"))
    move = finding.get("nearest_legal_start")
    if move:
        start = datetime.fromisoformat(move["start"])
        lines.add_row("", Text(f"→ {move['session']} could start {start:%a} {start.day} {start:%b %H:%M}", GREEN))
    elif mark == "✗":
        lines.add_row("", Text("→ no legal start within 7 days", YELLOW))
    console.print(lines)


def _measurements(finding: Mapping[str, Any]) -> list[str]:
    measured, limit = finding.get("measured") or {}, finding.get("limit") or {}
    return [f"{name} {_plain(value)} (limit {_plain(limit.get(name))})" for name, value in measured.items()]


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float | int) else str(value)


def _count(findings: list[Any], noun: str) -> str:
    return f"{len(findings)} {noun}{'' if len(findings) == 1 else 's'}"
