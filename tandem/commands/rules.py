"""``tandem rules …``: check, test, lint, explain and describe rule packs. Exit 1 = findings, 2 = cannot be asked."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from shared.contract.words import PackKind
from shared.rules.errors import RuleFileError, RuleFileErrors, did_you_mean
from tandem.commands.asked_packs import asked_packs, pack_options, told_of
from tandem.commands.options import (
    FINDINGS,
    athlete_options,
    counted,
    print_json,
    refuse,
    rules_option,
    utc_today,
    write_file,
)
from tandem.commands.rule_changes import diff, impact, new_pack
from tandem.commands.rule_sources import sources
from tandem.commands.rule_status import status
from tandem.commands.rule_trial import trial

if TYPE_CHECKING:
    from shared.rules.authoring.lint import LintFinding
    from shared.rules.model import Pack
    from shared.rules.reading.loader import Loaded


@click.group()
def rules() -> None:
    """Check, test, lint and explain rule packs: the shipped ones, a folder's, a tenant's."""


@rules.command()
@pack_options
def check(path: Path | None, rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Load every pack and tell every mistake as file:line:column; a sound folder says what is in it.

    PATH: a folder that holds base/, a folder of packs, or one pack (default: the folder of --rules). A pack that is no
    base pack is laid over the base of --rules.

    Exit 1 when a pack has a mistake, or a file that looks like one is not read for its name.
    """
    asked = asked_packs(path, rules_dir, tenant, as_json)
    loaded = asked.load(as_json, FINDINGS)
    remarks = [*_remarks(loaded), *_kinds_missing(asked.rules_dir, loaded)]
    remarks += _sources_missing(asked.rules_dir, loaded, as_json)
    if as_json:
        document: dict[str, list[dict[str, Any]]] = {
            "packs": [
                {"tenant": name, "kind": kind, "id": pack.id, "version": pack.version, "hash": pack.hash[:12],
                 "rules": len(pack.rules), "settings": len(pack.settings), "files": list(pack.files)}
                for name, one in loaded.items() for kind, pack in one.packs.items()
            ],
            "remarks": [dict(remark.as_json()) for remark in remarks],
            "findings": [dict(finding.as_json()) for finding in asked.misnamed],
        }  # fmt: skip
        print_json(document)
    else:
        for name, pack in told_of(asked, loaded):
            whose = f"tenant {name}: " if name else ""
            click.echo(
                f"{whose}{pack.id} {pack.version} ({pack.hash[:12]}): "
                f"{len(pack.rules)} rules, {len(pack.settings)} settings, sound"
            )
        for remark in remarks:
            click.echo(f"remark: {remark}")
        for finding in asked.misnamed:
            click.echo(f"finding: {finding}")
    if asked.misnamed:
        raise click.exceptions.Exit(FINDINGS)


@rules.command()
@pack_options
def test(path: Path | None, rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Run the examples of every rule on both evaluators, and each combination of comparisons once.

    PATH: as of check. Exit 1 when an example does not hold, or a pack has another mistake.
    """
    from shared.rules.lifecycle.rule_book import open_texts

    asked = asked_packs(path, rules_dir, tenant, as_json)
    loaded = asked.load(as_json, FINDINGS)
    evaluators: dict[str | None, list[str]] = {}
    for name, texts in asked.texts.items():
        with open_texts(texts) as opened:
            evaluators[name] = list(dict.fromkeys(("reference", opened.evaluator())))
    if as_json:
        results = [
            {"tenant": name, "kind": kind, "id": pack.id, "hash": pack.hash[:12], "rules": len(pack.rules),
             "examples": _examples(pack), "evaluators": evaluators[name]}
            for name, one in loaded.items() for kind, pack in one.packs.items()
        ]  # fmt: skip
        print_json({"tested": results, "changed": [remark.as_json() for remark in _remarks(loaded)]})
        return
    for name, pack in told_of(asked, loaded):
        whose = f"tenant {name}: " if name else ""
        click.echo(f"{whose}{pack.id}: {_examples(pack)} examples hold on {' and '.join(evaluators[name])}")
    for remark in _remarks(loaded):
        click.echo(f"changed by the tenant: {remark}")


@rules.command()
@pack_options
def lint(path: Path | None, rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Find rules that never fire, are redundant or shadowed, loosen the base, lack an example at a threshold, or leave
    the week of a reference athlete without any calendar. PATH: as of check."""
    from shared.rules.authoring.lint import lint as lint_pack
    from shared.rules.authoring.lint import lint_tenant
    from shared.rules.lifecycle.rule_book import open_texts
    from tandem.offline.reference_weeks import lint_reference_weeks

    asked = asked_packs(path, rules_dir, tenant, as_json)
    loaded = asked.load(as_json)
    base = loaded[None]
    findings: list[tuple[str | None, LintFinding]] = []
    for name, texts in asked.texts.items():
        own = asked.own(name, loaded)
        for pack in own:
            below = base.packs.get(pack.kind) if name is not None else None
            told = lint_pack(pack) + (lint_tenant(below, pack) if below is not None else ())
            findings += [(name, finding) for finding in told]
        if {"sequencing", "periodization"} & {pack.kind for pack in own}:
            with open_texts(texts) as opened:
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


def _examples(pack: "Pack") -> int:
    return sum(len(rule.examples) for rule in pack.rules)


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


for _command in (diff, impact, new_pack, sources, status, trial):
    rules.add_command(_command)
