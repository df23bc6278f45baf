"""``tandem rules …``: check, test, lint, explain and describe rule packs. Exit 1 = findings, 2 = cannot be asked."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from shared.contract.words import PackKind
from shared.rules.errors import RuleFileError, RuleFileErrors, did_you_mean
from tandem.commands.options import (
    FINDINGS,
    INPUT_IS_WRONG,
    athlete_options,
    counted,
    print_json,
    refuse,
    require_tenant,
    rules_option,
    tenants_in,
    utc_today,
    write_file,
)
from tandem.commands.rule_changes import diff, impact, new_pack
from tandem.commands.rule_sources import sources
from tandem.commands.rule_status import status

if TYPE_CHECKING:
    from shared.rules.authoring.lint import LintFinding
    from shared.rules.reading.loader import Loaded


@click.group()
def rules() -> None:
    """Check, test, lint and explain rule packs: the shipped ones, a folder's, a tenant's."""


def _pack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    tenant = click.option("--tenant", help="Only this tenant (default: the base and every tenant in the folder).")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    return rules_option(tenant(as_json(command)))


@rules.command()
@_pack_options
def check(rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Load every pack and tell every mistake as file:line:column; a sound folder says what is in it.

    Exit 1 when a pack has a mistake.
    """
    loaded = _load_all(rules_dir, tenant, as_json, FINDINGS)
    remarks = [*_remarks(loaded), *_kinds_missing(rules_dir, loaded)]
    remarks += _sources_missing(rules_dir, loaded, as_json)
    document: dict[str, list[dict[str, Any]]] = {
        "packs": [
            {"tenant": name, "kind": kind, "id": pack.id, "version": pack.version, "hash": pack.hash[:12],
             "rules": len(pack.rules), "settings": len(pack.settings), "files": list(pack.files)}
            for name, one in loaded.items() for kind, pack in one.packs.items()
        ],
        "remarks": [dict(remark.as_json()) for remark in remarks],
    }  # fmt: skip
    if as_json:
        print_json(document)
        return
    for pack in _worth_a_line(document["packs"], tenant):
        whose = f"tenant {pack['tenant']}: " if pack["tenant"] else ""
        click.echo(
            f"{whose}{pack['id']} {pack['version']} ({pack['hash']}): "
            f"{pack['rules']} rules, {pack['settings']} settings, sound"
        )
    for remark in remarks:
        click.echo(f"remark: {remark}")


@rules.command()
@_pack_options
def test(rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Run the examples of every rule on both evaluators, and each combination of comparisons once.

    Exit 1 when an example does not hold, or a pack has another mistake.
    """
    from shared.rules.lifecycle.rule_book import open_rules

    loaded = _load_all(rules_dir, tenant, as_json, FINDINGS)
    results: list[dict[str, Any]] = []
    for name, one in loaded.items():
        with open_rules(rules_dir, name) as opened:
            evaluator = opened.evaluator()
        for kind, pack in one.packs.items():
            examples = sum(len(rule.examples) for rule in pack.rules)
            results.append(
                {"tenant": name, "kind": kind, "id": pack.id, "hash": pack.hash[:12], "rules": len(pack.rules),
                 "examples": examples,
                 "evaluators": ["reference"] if evaluator == "reference" else ["reference", evaluator]}
            )  # fmt: skip
    if as_json:
        print_json({"tested": results, "changed": [remark.as_json() for remark in _remarks(loaded)]})
        return
    for result in _worth_a_line(results, tenant):
        whose = f"tenant {result['tenant']}: " if result["tenant"] else ""
        click.echo(f"{whose}{result['id']}: {result['examples']} examples hold on {' and '.join(result['evaluators'])}")
    for remark in _remarks(loaded):
        click.echo(f"changed by the tenant: {remark}")


@rules.command()
@_pack_options
def lint(rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Find rules that never fire, are redundant or shadowed, loosen the base, lack an example at a threshold, or leave
    the week of a reference athlete without any calendar."""
    from shared.rules.authoring.lint import lint as lint_pack
    from shared.rules.authoring.lint import lint_tenant
    from shared.rules.lifecycle.rule_book import open_rules
    from tandem.offline.reference_weeks import lint_reference_weeks

    loaded = _load_all(rules_dir, tenant, as_json)
    base = loaded[None]
    findings: list[tuple[str | None, LintFinding]] = []
    for name, one in loaded.items():
        if name is None and tenant is not None:
            continue  # asked about the tenant only
        theirs = {pack.hash for pack in base.packs.values()} if name is not None else set()
        own = [kind for kind, pack in one.packs.items() if pack.hash not in theirs]
        for kind in own:
            below = base.packs.get(kind) if name is not None else None
            told = lint_pack(one.packs[kind]) + (lint_tenant(below, one.packs[kind]) if below is not None else ())
            findings += [(name, finding) for finding in told]
        if {"sequencing", "periodization"} & set(own):
            with open_rules(rules_dir, name) as opened:
                findings += [(name, finding) for finding in lint_reference_weeks(opened)]
    if as_json:
        print_json({"findings": [{"tenant": name, **finding.as_json()} for name, finding in findings]})
    else:
        for name, finding in findings:
            click.echo(f"tenant {name}: {finding}" if name else str(finding))
        click.echo(counted(len(findings), "finding") if findings else "no findings")
    if findings:
        raise click.exceptions.Exit(FINDINGS)


@rules.command()
@click.option("--rule", "only", help="Explain this rule only.")
@athlete_options
def explain(only: str | None, **options: Any) -> None:
    """Say for each rule why it fires on the athlete's proposed week, or why not and by how much."""
    from tandem.athlete_file import BadFile
    from tandem.offline.explained_rule import NotAsked
    from tandem.offline.explanations import explain_rules
    from tandem.offline.pipeline import open_offline_athlete
    from tandem.views.explained import show_all, show_one

    require_tenant(options["rules_dir"], options["tenant"], options["as_json"])
    try:
        with open_offline_athlete(
            options["file"], rules_dir=options["rules_dir"], tenant=options["tenant"], on=options["on"], clock=utc_today
        ) as athlete:
            found = list(explain_rules(athlete))
    except BadFile as error:
        refuse(error.problems, options["as_json"])
    except RuleFileErrors as error:
        refuse(error.errors, options["as_json"])
    explained = [one.as_json() for one in found if not isinstance(one, NotAsked)]
    not_asked = [one.as_json() for one in found if isinstance(one, NotAsked)]
    known = {one["rule"] for one in explained} | {rule for one in not_asked for rule in one["rules"]}
    not_asked = [one for one in not_asked if only is None or only in one["rules"]]
    if only is not None and only not in known:
        raise click.BadParameter(f"no rule '{only}' here{did_you_mean(only, known)}", param_hint="--rule")
    wanted = [one for one in explained if only in (None, one["rule"])]
    if options["as_json"]:
        print_json({"rules": wanted, "not_asked": not_asked})
        return
    for line in show_all(wanted, not_asked) if only is None else show_one(wanted, not_asked):
        click.echo(line)


@rules.command()
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
def schema(write: Path | None) -> None:
    """The JSON Schema of rule files, for completion in editors."""
    from shared.rules.authoring.json_schema import rule_file_schema

    document = rule_file_schema()
    if write is None:
        print_json(document)
        return
    write_file(write, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@rules.command()
@rules_option
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
def reference(rules_dir: Path, write: Path | None) -> None:
    """The reference page of the dialect and its settings, as Markdown."""
    from shared.rules.authoring.reference_page import reference_page
    from shared.rules.reading.loader import load_packs

    try:
        page = reference_page(load_packs(rules_dir))
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json=False)
    if write is None:
        click.echo(page, nl=False)
        return
    write_file(write, page)


def _load_all(
    rules_dir: Path, tenant: str | None, as_json: bool, code: int = INPUT_IS_WRONG
) -> "dict[str | None, Loaded]":
    """The base and the tenants asked for; every mistake of all of them at once, then exit with ``code``."""
    from shared.rules.reading.loader import load

    found = tenants_in(rules_dir)
    require_tenant(rules_dir, tenant, as_json)
    names: list[str | None] = [None, *(found if tenant is None else [tenant])]
    loaded: dict[str | None, Loaded] = {}
    mistakes: list[RuleFileError] = []
    for name in names:
        try:
            loaded[name] = load(rules_dir, name)
        except RuleFileErrors as errors:
            mistakes += errors.errors
    if mistakes:
        refuse(list(dict.fromkeys(mistakes)), as_json, code)
    return loaded


def _worth_a_line(packs: Sequence[Mapping[str, Any]], tenant: str | None) -> list[Mapping[str, Any]]:
    """What is worth a line: not the base's packs when a tenant is asked about, nor those a tenant has from the base."""
    base = {pack["hash"] for pack in packs if pack["tenant"] is None}
    return [pack for pack in packs if (pack["hash"] not in base if pack["tenant"] is not None else tenant is None)]


def _remarks(loaded: "Mapping[str | None, Loaded]") -> Iterable[RuleFileError]:
    return dict.fromkeys(remark for one in loaded.values() for remark in one.remarks)


def _kinds_missing(rules_dir: Path, loaded: "Mapping[str | None, Loaded]") -> Iterable[RuleFileError]:
    """Kinds that nothing is decided by: what asks for their rules is refused."""
    for kind in get_args(PackKind):
        if kind not in loaded[None].packs:
            message = f"there is no {kind} pack; whatever asks its rules is refused until there is one"
            yield RuleFileError(str(rules_dir / "base"), 1, 1, None, message)


def _sources_missing(rules_dir: Path, loaded: "Mapping[str | None, Loaded]", as_json: bool) -> list[RuleFileError]:
    """What the base cites and the list of sources does not hold; a tenant may cite what it likes."""
    from shared.rules.reading.sources import read_sources, unlisted

    try:
        return unlisted(loaded[None].packs.values(), read_sources(rules_dir))
    except RuleFileErrors as errors:
        refuse(errors.errors, as_json, FINDINGS)


for _command in (diff, impact, new_pack, sources, status):
    rules.add_command(_command)
