"""A week's calendar as seven columns, and why each session stands where it does."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tandem.views.console import GREEN, RED, UNKNOWN, YELLOW, clock, kind_colour, number, session_label, short_date

MAX_REASONS = 2
"""More would hide the week behind its explanation; `--json` has them all."""
_TOLD_ELSEWHERE = ("Placed at ", "Accepted at a cost ")
"""The time stands in the calendar, and bent soft rules stand below it."""
_QUOTED_ID = re.compile(r"'([A-Za-z0-9_.:-]{1,128})'")
_NARROWEST_TABLE = 84


def show_week(console: Console, answer: Mapping[str, Any]) -> None:
    if answer["status"] != "planned":
        show_infeasible(console, answer)
        return
    sessions = answer["sessions"]
    if not sessions:
        console.print("Nothing to place: the week has no sessions.")
        return
    console.print(week_grid(sessions, date.fromisoformat(answer["week_start"]), console.width))
    show_reasons(console, sessions)
    show_penalties(console, answer)
    for note in (*answer.get("notes", ()), *([answer["budget"]["text"]] if "budget" in answer else ())):
        console.print(Text(note, "dim"))


def week_grid(sessions: list[Mapping[str, Any]], week_start: date, width: int) -> Table:
    """Seven columns from the week's first weekday (further weeks below); a list of days where the terminal is too
    narrow."""
    by_day = _by_day(sessions)
    first = week_start + timedelta(days=7 * ((min(by_day) - week_start).days // 7))
    weeks = (max(by_day) - first).days // 7 + 1
    if width < _NARROWEST_TABLE:
        return _day_list(by_day, first, weeks)
    table = Table(padding=(0, 1), border_style="grey37", header_style="bold", expand=True, show_lines=weeks > 1)
    for day in (first + timedelta(days=offset) for offset in range(7)):
        title = f"{day:%a} {short_date(day)}" if weeks == 1 else f"{day:%a}"
        table.add_column(title, ratio=1, vertical="top", overflow="fold")
    for week in range(weeks):
        table.add_row(*(_cell(by_day.get(first + timedelta(days=7 * week + offset), ())) for offset in range(7)))
    return table


def show_reasons(console: Console, sessions: list[Mapping[str, Any]]) -> None:
    """One line per session: when, what, why there."""
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    days = {session["id"]: f"on {datetime.fromisoformat(session['start']):%a}" for session in sessions}
    for session in sorted(sessions, key=lambda s: datetime.fromisoformat(s["start"])):
        start = datetime.fromisoformat(session["start"])
        table.add_row(
            Text(f"{start:%a %H:%M}", "bold"),
            Text(session_label(session), kind_colour(session["kind"])),
            Text("; ".join(deciding_reasons(session, days)), "dim"),
        )
    console.print(table)


def deciding_reasons(session: Mapping[str, Any], days: Mapping[str, str]) -> list[str]:
    """What rules had to say about the session's place, one reason per other session; its window only when no rule says
    anything. ``days``: the weekday of each session of the week, which reads better than its id."""
    reasons = list(session.get("why") or ())
    by_rules = [reason for reason in reasons if not reason.startswith(_TOLD_ELSEWHERE)]
    about: dict[str, str] = {}
    for reason in by_rules or reasons or ["no rule restricts it"]:
        named = _QUOTED_ID.findall(reason)
        about.setdefault(named[0] if named else reason, reason)
    return [_QUOTED_ID.sub(lambda name: days.get(name[1], name[0]), reason) for reason in about.values()][:MAX_REASONS]


def show_penalties(console: Console, answer: Mapping[str, Any]) -> None:
    penalties = answer["penalties"]
    if penalties:
        console.print(Text("Soft rules bent:", "bold"))
        for penalty in penalties:
            console.print(Text(f"  {_penalty_text(penalty)}", YELLOW))
    best = (
        "no calendar does better"
        if answer["optimal"]
        else "the search ended before it could prove that none does better"
    )
    console.print(Text(f"{'No soft rule is bent' if not penalties else 'Weighed against each other'}; {best}.", "dim"))


def show_infeasible(console: Console, answer: Mapping[str, Any]) -> None:
    budget = answer.get("budget", {}).get("text")
    if answer["status"] == "undecided":
        console.print(Text(budget, f"bold {YELLOW}"))
        return
    console.print(Text("No calendar keeps every hard rule.", f"bold {RED}"))
    console.print(f"These cannot hold together{'' if budget else ' (without any one of them it works)'}:")
    for member in answer["conflict"]:
        console.print(Text(f"  • {_conflict_text(member)}"))
    for suggestion in answer["suggestions"]:
        console.print(Text(f"  → {_suggestion_text(suggestion)}", GREEN))
    if budget:
        console.print(Text(budget, "dim"))


def _by_day(sessions: list[Mapping[str, Any]]) -> dict[date, list[Mapping[str, Any]]]:
    days: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
    for session in sorted(sessions, key=lambda s: datetime.fromisoformat(s["start"])):
        days[datetime.fromisoformat(session["start"]).date()].append(session)
    return days


def _cell(sessions: "list[Mapping[str, Any]] | tuple[()]") -> Text:
    cell = Text()
    for index, session in enumerate(sessions):
        cell.append("\n" if index else "")
        end = clock(session["end"]) if session.get("end") else UNKNOWN
        cell.append(f"{clock(session['start'])}–{end}\n", "bold")
        cell.append(session_label(session), kind_colour(session["kind"]))
        cell.append(f"\n{number(session['duration_min'])} min", "dim")
        cell.append(" ★" if session.get("key") else "", f"bold {YELLOW}")
    return cell if sessions else Text("rest", "dim")


def _day_list(by_day: Mapping[date, list[Mapping[str, Any]]], first: date, weeks: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for offset in range(7 * weeks):
        day = first + timedelta(days=offset)
        text = Text("rest", "dim") if day not in by_day else Text()
        for index, session in enumerate(by_day.get(day, ())):
            text.append("\n" if index else "")
            text.append(f"{clock(session['start'])} ", "bold")
            text.append(session_label(session), kind_colour(session["kind"]))
            text.append(f" {number(session['duration_min'])} min", "dim")
        table.add_row(Text(f"{day:%a} {short_date(day)}", "bold"), text)
    return table


def _penalty_text(penalty: Any) -> str:
    if not isinstance(penalty, Mapping):
        return str(penalty)
    return str(penalty.get("message") or penalty.get("rule") or penalty)


def _conflict_text(member: Any) -> str:
    if not isinstance(member, Mapping):
        return str(member)
    return str(member.get("message") or member.get("id") or member)


def _suggestion_text(suggestion: Any) -> str:
    return str(suggestion.get("message") or suggestion) if isinstance(suggestion, Mapping) else str(suggestion)
