"""``tandem rules diff|impact|new``: what a change of rules means, before it counts."""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.messages.ids import is_tenant
from shared.rules.errors import RuleFileErrors, did_you_mean
from tandem.commands.options import (
    FINDINGS,
    IsoDate,
    counted,
    print_json,
    refuse,
    require_tenant,
    rules_option,
    utc_today,
)

if TYPE_CHECKING:
    from tandem.offline.impact import Change


@click.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--tenant", help="Compare what is in force for this tenant (default: the base).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def diff(old: Path, new: Path, tenant: str | None, as_json: bool) -> None:
    """What changes from rule folder OLD to NEW, in sentences; exit 1 when anything does."""
    from shared.rules.authoring.difference import differences
    from shared.rules.reading.loader import load_packs

    require_tenant((old, new), tenant, as_json)
    packs = []
    for folder in (old, new):
        try:
            packs.append(load_packs(folder, tenant))
        except RuleFileErrors as errors:
            refuse(errors.errors, as_json)
    before, after = packs
    found = [one for kind in after if kind in before for one in differences(before[kind], after[kind])]
    gone = [kind for kind in before if kind not in after]
    added = [kind for kind in after if kind not in before]
    if as_json:
        print_json({"differences": [one.as_json() for one in found], "packs_gone": gone, "packs_new": added})
    else:
        for one in found:
            click.echo(f"{one.pack}: {one}")
        for kind in gone:
            click.echo(f"no {kind} pack any more")
        for kind in added:
            click.echo(f"a {kind} pack is new")
        if not (found or gone or added):
            click.echo("no differences")
    if found or gone or added:
        raise click.exceptions.Exit(FINDINGS)


@click.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--on", type=IsoDate(), help="The day that counts as today (default: each file's last day with a record)."
)
@click.option("--weeks", type=click.IntRange(0, 52), default=4, show_default=True, help="Recent weeks to replay.")
@click.option("--tenant", help="Use this tenant's packs of both folders.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def impact(
    old: Path, new: Path, files: tuple[Path, ...], on: date | None, weeks: int, tenant: str | None, as_json: bool
) -> None:
    """Which decisions on the athlete FILES change from rule folder OLD to NEW; exit 1 when any does.

    Replays the recent weeks as they were done, each of their mornings, the week ahead and the season under both.
    """
    from tandem.athlete_file import BadFile
    from tandem.offline.impact import impact as impact_on
    from tandem.offline.replay import PARTS

    require_tenant((old, new), tenant, as_json)
    changes: list[Change] = []
    steps = len(files) * 2 * PARTS
    with click.progressbar(length=steps, label="replaying", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for file in files:
            try:
                changes += impact_on(file, old, new, tenant, on, utc_today, weeks, lambda: bar.update(1))
            except BadFile as error:
                refuse(error.problems, as_json)
            except RuleFileErrors as error:
                refuse(error.errors, as_json)
    changed = len({change.file for change in changes})
    if as_json:
        print_json({"changes": [change.as_json() for change in changes], "athletes": len(files), "changed": changed})
    else:
        _show_changes(changes)
        click.echo(f"{counted(len(changes), 'decision')} changed, for {changed} of {counted(len(files), 'athlete')}")
    if changes:
        raise click.exceptions.Exit(FINDINGS)


def _show_changes(changes: "Sequence[Change]") -> None:
    """By athlete, then by week or day, so that each is named once."""
    for file in dict.fromkeys(change.file for change in changes):
        click.echo(file)
        of_file = [change for change in changes if change.file == file]
        for about in dict.fromkeys(change.about for change in of_file):
            click.echo(f"  {about}")
            for change in of_file:
                if change.about == about:
                    click.echo(f"    {change.sentence}")


@click.command("new")
@click.argument("tenant")
@click.argument("rule")
@rules_option
def new_pack(tenant: str, rule: str, rules_dir: Path) -> None:
    """Write a commented pack for TENANT that overrides one RULE of the base, ready to be edited."""
    from shared.rules.authoring.tenant_draft import tenant_draft
    from shared.rules.reading.loader import load_packs

    if not is_tenant(tenant):
        raise click.BadParameter(f"'{tenant}' is no tenant id: a-z, 0-9 and '-'", param_hint="TENANT")
    try:
        packs = load_packs(rules_dir)
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json=False)
    known = {one.id: (pack, one) for pack in packs.values() for one in pack.rules}
    if rule not in known:
        raise click.BadParameter(f"the base has no rule '{rule}'{did_you_mean(rule, known)}", param_hint="RULE")
    pack, chosen = known[rule]
    path = rules_dir / "tenants" / tenant / f"{pack.kind}.yaml"
    if path.exists():
        raise click.ClickException(f"{path} is there already; add the rule under its 'override'")
    if chosen.locked:
        raise click.ClickException(f"the rule '{rule}' is locked; no tenant can change what it does")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tenant_draft(tenant, pack, chosen), encoding="utf-8")
    click.echo(f"wrote {path}")
