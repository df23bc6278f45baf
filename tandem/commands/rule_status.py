"""``tandem rules status``: which packs decide, from the files or as running processes tell it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from shared.rules.errors import RuleFileError, RuleFileErrors
from tandem.commands.options import FINDINGS, print_json, refuse, require_tenant, rules_option

_ANSWER_WITHIN_S = 10.0
_ALL_OTHERS = "all tenants"


@click.command()
@click.option("--tenant", help="Only this tenant (default: the base and every tenant).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option(
    "--at",
    "addresses",
    multiple=True,
    metavar="URL",
    help="Ask a running process, e.g. http://127.0.0.1:9464 (its metrics address); may be repeated.",
)
@rules_option
def status(rules_dir: Path, tenant: str | None, as_json: bool, addresses: tuple[str, ...]) -> None:
    """What is in force, by tenant, and what is wrong; exit 1 when something is.

    Without --at: what the files would give, where a service has not stored other packs. With --at: what running
    processes decide by, and whether they all decide by the same.
    """
    if addresses:
        _of_processes(addresses, tenant, as_json)
    else:
        _of_files(rules_dir, tenant, as_json)


def _of_files(rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    from shared.rules.lifecycle.rule_book import RuleBook

    require_tenant((rules_dir,), tenant, as_json)
    try:
        book = RuleBook(rules_dir)
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json)
    try:
        document = _only(book.status(), tenant)
    finally:
        book.close()
    if as_json:
        print_json(document)
    else:
        _show(document)
    if document["errors"]:
        raise click.exceptions.Exit(FINDINGS)


def _of_processes(addresses: Sequence[str], tenant: str | None, as_json: bool) -> None:
    told = {address: _fetched(address, tenant) for address in addresses}
    named = all("tenants" in document for document in told.values())
    decided_by = {address: _hashes(document, named) for address, document in told.items()}
    first = decided_by[addresses[0]]
    agree = all(hashes == first for hashes in decided_by.values())
    if as_json:
        print_json({"processes": [{"at": address, **document} for address, document in told.items()], "agree": agree})
    else:
        for address, document in told.items():
            click.echo(f"{address}:")
            _show(document)
        if agree:
            click.echo(f"{len(told)} processes decide by the same packs")
        for (whose, kind), address in _differing(decided_by):
            click.echo(f"not the same everywhere: {kind} of {whose or 'the base'} at {address}")
    wrong = any(document["errors"] or _wrong_elsewhere(document) for document in told.values())
    if not agree or wrong:
        raise click.exceptions.Exit(FINDINGS)


def _wrong_elsewhere(document: Mapping[str, Any]) -> bool:
    """Whether a process that does not name its tenants has mistakes in their packs."""
    return "tenants" not in document and bool(document["own"]["with_errors"])


def _fetched(address: str, tenant: str | None) -> Mapping[str, Any]:
    url = f"{address.rstrip('/')}/rules" + (f"?{urllib.parse.urlencode({'tenant': tenant})}" if tenant else "")
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"'{address}' is no address like http://127.0.0.1:9464", param_hint="--at")
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_WITHIN_S) as answer:
            document = json.loads(answer.read())
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise click.ClickException(f"{url} does not answer: {getattr(error, 'reason', error)}") from None
    if tenant is not None and "tenants" not in document:
        raise click.ClickException(f"{address} names tenants only to who asks on its own machine; ask there")
    return _only(document, tenant)


def _only(document: Mapping[str, Any], tenant: str | None) -> Mapping[str, Any]:
    if tenant is None or "tenants" not in document:
        return document
    return {**document, "tenants": [one for one in document["tenants"] if one["tenant"] == tenant]}


def _hashes(document: Mapping[str, Any], named: bool) -> dict[tuple[str | None, str], str]:
    """By tenant and kind; unless all have ``named`` their tenants, the base's and one hash over all others."""
    if not named:
        told = document["base"] if "base" in document else document["tenants"][0]
        base: dict[tuple[str | None, str], str] = {(None, pack["kind"]): pack["hash"] for pack in told["packs"]}
        return {**base, (_ALL_OTHERS, "packs"): document["own"]["hash"]}
    return {(one["tenant"], pack["kind"]): pack["hash"] for one in document["tenants"] for pack in one["packs"]}


def _differing(
    decided_by: Mapping[str, Mapping[tuple[str | None, str], str]],
) -> list[tuple[tuple[str | None, str], str]]:
    """What differs from the first process, and where."""
    (_, first), *others = decided_by.items()
    return [
        (key, address)
        for address, hashes in others
        for key in sorted({*first, *hashes}, key=lambda key: (key[0] or "", key[1]))
        if first.get(key) != hashes.get(key)
    ]


def _show(document: Mapping[str, Any]) -> None:
    why = f" ({document['engine']['reason']})" if document["evaluator"] == "reference" else ""
    click.echo(f"evaluator: {document['evaluator']}{why}")
    if "tenants" not in document:
        own = document["own"]
        _show_one({"tenant": None, "behind": False, **document["base"]})
        told = f"{own['tenants']} tenants with packs of their own ({own['hash']})"
        click.echo(f"{told}, {own['with_errors']} of them with mistakes")
        click.echo("  they are named to who asks on the process's own machine")
    for one in document.get("tenants", ()):
        _show_one(one)
    for remark in document.get("remarks", ()):
        click.echo(f"remark: {RuleFileError(**remark)}")
    if document["behind"]:
        click.echo(f"{document['behind']} tenants' packs are being made anew; whoever is asked for comes first")


def _show_one(one: Mapping[str, Any]) -> None:
    click.echo(f"{one['tenant'] or 'base'} (from {one['from']}){', being made anew' if one['behind'] else ''}")
    for pack in one["packs"]:
        over_bus = ", stored over the bus" if pack["stored"] else ""
        click.echo(f"  {pack['id']} {pack['version']} ({pack['hash']}): {pack['rules']} rules{over_bus}")
    for file in one["files_not_counting"]:
        click.echo(f"  {file} does not count: a stored pack of its kind is active")
    for error in one["errors"]:
        click.echo(f"  not in force: {RuleFileError(**error)}")
