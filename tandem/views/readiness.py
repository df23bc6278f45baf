"""Readiness: factors as bars, the limiting one by name, the gate, the signs, and today's sessions after the gate."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tandem.views.console import (
    GREEN,
    READINESS_COLOURS,
    RED,
    UNKNOWN,
    YELLOW,
    bar,
    clock,
    long_date,
    number,
    session_label,
    share,
    show_quality,
)

_BAR = 20
_LIMITING_BELOW = 50.0


def show_readiness(console: Console, answer: Mapping[str, Any]) -> None:
    console.print(readiness_headline(answer))
    console.print(factor_table(answer))
    console.print(gate_line(answer))
    for sign in answer["signs"]:
        console.print(Text(f"  sign: {sign['name']} since {sign['since']} ({sign['days']} days)"))
    if answer["action"] != "none":
        console.print(Text(f"  signs of overreaching: {answer['action']}", f"bold {YELLOW}"))
    show_quality(console, answer)
    for session in answer["today"]:
        show_gated_session(console, session)


def readiness_headline(answer: Mapping[str, Any]) -> Text:
    colour = READINESS_COLOURS.get(answer["colour"] or "", "grey62")
    headline = Text.assemble((f"Readiness on {long_date(answer['date'])}: ", "bold"))
    if answer["score"] is None:
        headline.append("unknown", "bold grey62")
    else:
        headline.append(f"{score_text(answer['score'], answer['colour'])} of 100, {answer['colour']}", f"bold {colour}")
    if answer["limiting_factor"]:
        headline.append(f" · limited by {answer['limiting_factor']}", "bold")
    headline.append(f" · confidence {share(answer['confidence'])}", "dim")
    return headline


def score_text(score: float, colour: str) -> str:
    """To the nearest whole number; where that may belong to the next colour, with the decimals that tell: 66.55 is not
    "67, yellow". Green begins and red ends at a whole number of its own, so only yellow has such neighbours."""
    texts = [f"{score:.{decimals}f}" for decimals in range(10)]
    whole = colour != "yellow" or score == round(score)
    return texts[0] if whole else next((text for text in texts if float(text) % 1), texts[0])


def factor_table(answer: Mapping[str, Any]) -> Table:
    """A row per factor: score bar, value against one's own normal. What is not known says so and has no bar."""
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("")
    table.add_column("score", justify="right")
    table.add_column(f"0{'50':>{_BAR // 2}}{'100':>{_BAR // 2 - 1}}", no_wrap=True)
    for name in ("value", "normal", "weight"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for factor in answer["factors"]:
        limiting = factor["name"] == answer["limiting_factor"]
        digits = 2 if factor["name"].startswith(("hrv", "load_")) else 1
        score = factor["score"]
        known = score is not None
        table.add_row(
            Text(factor["name"], "bold" if limiting else "" if known else "dim"),
            number(score),
            bar(score, 100.0, _BAR, _score_colour(score)) if known else Text("no figure".ljust(_BAR), "dim"),
            number(factor["value"], digits),
            _normal(factor, digits),
            number(factor["weight"], 2) if known else UNKNOWN,
            Text("◀ limits today", "bold")
            if limiting
            else Text("" if factor["status"] == "ok" else factor["status"], "dim"),
        )
    return table


def gate_line(answer: Mapping[str, Any]) -> Text:
    gate = answer["gate"]
    line = Text.assemble(("Gate: ", "bold"), (gate["intensity"], "bold"), f", volume × {gate['volume_factor']:g}")
    line.append(f" · {gate['reason']}")
    if gate.get("rules"):
        line.append(f"  [{', '.join(_rule_names(gate['rules']))}]", "dim")
    return line


def show_gated_session(console: Console, session: Mapping[str, Any]) -> None:
    start = f"{clock(session['start'])} " if session.get("start") else ""
    line = Text(f"  today {start}{session_label(session)} {session['duration_min']:g} min")
    if session["changed"]:
        line.append(" (changed)", YELLOW)
    why = session["why"]
    line.append(f" · {'; '.join(why) if isinstance(why, list) else why or 'as planned'}", "dim")
    console.print(line)


def _normal(factor: Mapping[str, Any], digits: int) -> str:
    low, high = factor["low"], factor["high"]
    if low is not None and high is not None:
        return f"{low:.{digits}f} to {high:.{digits}f}"
    if high is not None:
        return f"up to {high:.{digits}f}"
    if low is not None:
        return f"from {low:.{digits}f}"
    return number(factor["baseline"], digits)


def _score_colour(score: float) -> str:
    return GREEN if score >= 67 else YELLOW if score >= _LIMITING_BELOW else RED


def _rule_names(rules: list[Any]) -> list[str]:
    return [rule["rule"] if isinstance(rule, Mapping) else str(rule) for rule in rules]
