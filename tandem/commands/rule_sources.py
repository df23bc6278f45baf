"""``tandem rules sources``: the texts and studies that the rules cite, and what rests on each."""

from collections import defaultdict
from pathlib import Path
from textwrap import fill

import click

from shared.rules.errors import RuleFileErrors
from tandem.commands.options import INPUT_IS_WRONG, print_json, refuse, require_tenant, rules_option


@click.command()
@click.option("--tenant", help="What this tenant's rules rest on (default: the base's).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@rules_option
def sources(rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """List each source with what it found and the rules and settings that rest on it.

    Exit 2 when the list or a pack cannot be read.
    """
    from shared.rules.reading.loader import load_packs
    from shared.rules.reading.sources import citations, read_sources

    require_tenant((rules_dir,), tenant, as_json)
    try:
        listed, packs = read_sources(rules_dir), load_packs(rules_dir, tenant)
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json, INPUT_IS_WRONG)
    resting: dict[str, list[str]] = defaultdict(list)
    for citation in citations(packs.values()):
        resting[citation.key].append(f"{citation.pack}/{citation.of}")
    document = [
        {
            "source": key,
            "title": cited.title if (cited := listed.get(key)) else None,
            "authors": cited.authors if cited else None,
            "year": cited.year if cited else None,
            "published": cited.published if cited else None,
            "doi": cited.doi if cited else None,
            "found": cited.found if cited else None,
            "rests_on_it": resting.get(key, []),
        }
        for key in [*listed, *(key for key in resting if key not in listed)]
    ]
    if as_json:
        print_json({"sources": document})
        return
    for one in document:
        title = f"{one['title']}. {one['published']}" if one["title"] else "not in the list of sources"
        doi = f", doi:{one['doi']}" if one["doi"] else ""
        click.echo(f"{one['source']}: {title}{doi}")
        if one["found"]:
            click.echo(fill(str(one["found"]), 100, initial_indent="  ", subsequent_indent="  "))
        rests = ", ".join(resting.get(str(one["source"]), [])) or "nothing in these packs"
        click.echo(
            fill(f"rests on it: {rests}", 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
            + "\n"
        )
