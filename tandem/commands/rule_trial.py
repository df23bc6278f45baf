"""``tandem rules trial``: what an edit does to false alarms and to what is found, on made-up athletes."""

import sys
from pathlib import Path

import click

from shared.rules.errors import RuleFileErrors
from tandem.commands.options import FINDINGS, INPUT_IS_WRONG, counted, print_json, refuse, require_tenant


@click.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--tenant", help="Try what is in force for this tenant (default: the base).")
@click.option("--athletes", type=click.IntRange(1, 1000), default=60, show_default=True, help="Of each population.")
@click.option("--population", "populations", multiple=True, help="Only this one; may be repeated.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Another seed is other athletes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def trial(
    old: Path, new: Path, tenant: str | None, athletes: int, populations: tuple[str, ...], seed: int, as_json: bool
) -> None:
    """How many made-up athletes, well and unwell, are judged otherwise by rule folder NEW than by OLD.

    Each lives 16 weeks of sessions and mornings under both, through the code that the services run. Exit 1 when
    anything is judged otherwise.
    """
    from shared.rules.lifecycle.rule_book import open_rules
    from tandem.offline.trial import TRIED, tried

    require_tenant((old, new), tenant, as_json)
    unknown = [name for name in populations if name not in TRIED]
    if unknown:
        raise click.BadParameter(f"'{unknown[0]}' is none of {', '.join(TRIED)}", param_hint="--population")
    names = populations or TRIED
    try:
        with (
            open_rules(old, tenant, evaluator="reference") as before,
            open_rules(new, tenant, evaluator="reference") as after,
            click.progressbar(
                length=len(names) * athletes, label="playing", file=sys.stderr, hidden=not sys.stderr.isatty()
            ) as bar,
        ):
            found = tried(before, after, names, athletes, seed, lambda: bar.update(1))
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json, INPUT_IS_WRONG)
    changed = [one for one in found if one.changed]
    if as_json:
        print_json({"athletes": athletes, "seed": seed, "counts": [one.as_json() for one in found]})
    else:
        for one in changed:
            click.echo(one.sentence)
        click.echo(f"{counted(len(changed), 'count')} of {len(found)} changed, over {len(names) * athletes} athletes")
    if changed:
        raise click.exceptions.Exit(FINDINGS)
