"""``tandem doctor``: what works on this machine, and what to do about what does not."""

from pathlib import Path

import click

from tandem.commands.options import print_json, rules_option


@click.command()
@rules_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def doctor(rules_dir: Path, as_json: bool) -> None:
    """Check Python, rules engine, rule packs, settings, broker, databases and test tools; exit 1 if one is needed."""
    from rich.table import Table
    from rich.text import Text

    from tandem.runtime.doctor import examine
    from tandem.views.console import GREEN, RED, YELLOW, open_console

    marks = {"ok": ("✓", GREEN), "missing": ("✗", RED), "optional": ("○", YELLOW)}
    findings = examine(rules_dir)
    if as_json:
        print_json({"checks": [finding.as_json() for finding in findings]})
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
        for finding in findings:
            mark, colour = marks[finding.state]
            told = Text(finding.found)
            if finding.todo:
                told.append(f"\n→ {finding.todo}", colour)
            table.add_row(Text(mark, f"bold {colour}"), Text(finding.name, "bold"), told)
        open_console().print(table)
    if any(finding.state == "missing" for finding in findings):
        raise click.exceptions.Exit(1)
