"""``tandem rules …`` as a coach sees it: what it prints, where it points, and its exit codes."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tandem.cli import tandem
from tandem.offline.shipped_rules import shipped_rules

COLLISION = Path(__file__).parents[3] / "examples" / "athletes" / "check-collision.yaml"
RUNNER = COLLISION.parent / "runner-who-lifts.yaml"
INFEASIBLE = COLLISION.parent / "infeasible-week.yaml"
DEEPER = "weeks_since_deload: at least 3}}\n    deload: {sets: -60 %"


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    shutil.copytree(shipped_rules(), tmp_path / "rules")
    return tmp_path / "rules"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(tandem, ["rules", *map(str, arguments)])


def _tenant(rules_dir: Path, text: str) -> Path:
    path = rules_dir / "tenants" / "acme" / "sequencing.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


HEADER = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing@1\n'


def test_check_tells_what_is_in_force(rules_dir: Path) -> None:
    _tenant(rules_dir, HEADER + "override:\n  easy-share: {penalty: 50, because: we care}\n")
    result = _run("check", "--rules", rules_dir, "--json")
    assert result.exit_code == 0
    packs = json.loads(result.stdout)["packs"]
    assert [(pack["tenant"], pack["kind"]) for pack in packs][:5] == [
        (None, kind) for kind in ("sequencing", "deload", "recovery", "periodization", "advice")
    ]
    assert ("acme", "acme.sequencing") in [(pack["tenant"], pack["id"]) for pack in packs]


def test_check_tells_every_mistake_of_every_tenant_once_and_exits_1(rules_dir: Path) -> None:
    path = _tenant(rules_dir, HEADER + "override:\n  easy-shar: {off: true, because: x}\n  overlap: {off: true}\n")
    result = _run("check", "--rules", rules_dir)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}:5:3: the base has no rule 'easy-shar' to override; did you mean 'easy-share'?",
        f"{path}:6:12: rule overlap: an override says why: add 'because'",
        f"{path}:6:13: rule overlap: the rule is locked: 'off' cannot be changed",
    ]


@pytest.mark.parametrize("command", [["check"], ["lint"], ["status"], ["explain", COLLISION]])
def test_a_tenant_without_files_is_no_tenant_with_the_base_rules(rules_dir: Path, command: list[str | Path]) -> None:
    _tenant(rules_dir, HEADER)
    result = _run(*command, "--rules", rules_dir, "--tenant", "acne")
    assert result.exit_code == 2
    assert "there are no rule files of this tenant; did you mean 'acme'?" in result.stderr


def test_check_remarks_that_a_kind_of_pack_is_missing(rules_dir: Path) -> None:
    (rules_dir / "base" / "deload.yaml").unlink()
    result = _run("check", "--rules", rules_dir)
    assert result.exit_code == 0
    assert "there is no deload pack; whatever asks its rules is refused until there is one" in result.stdout


def test_an_example_that_does_not_hold_is_a_finding_of_test(rules_dir: Path) -> None:
    _edit(rules_dir, "deload", "{weeks_since_deload: at least 3}", "{weeks_since_deload: at least 4}")
    result = _run("test", "--rules", rules_dir, "--json")
    assert result.exit_code == 1
    (error,) = json.loads(result.stdout)["errors"]
    assert error["rule"] == "every-fourth-week" and "'three weeks trained' expects 'fires'" in error["message"]


def test_test_runs_the_examples_and_tells_those_that_a_tenant_changes(rules_dir: Path) -> None:
    _tenant(
        rules_dir, HEADER + "override:\n  quality-with-three-lifts: {require: {quality_runs: at most 2}, because: x}\n"
    )
    result = _run("test", "--rules", rules_dir)
    assert result.exit_code == 0, result.output
    assert "base.sequencing: " in result.stdout
    changed = [line for line in result.stdout.splitlines() if line.startswith("changed by the tenant: ")]
    assert len(changed) == 1
    assert "'three lifts and two quality runs' expects 'fires'" in changed[0]


def test_lint_exits_1_on_findings(rules_dir: Path) -> None:
    _tenant(rules_dir, HEADER + "override:\n  lift-run-gap: {severity: soft, because: we are tough}\n")
    result = _run("lint", "--rules", rules_dir, "--tenant", "acme", "--json")
    assert result.exit_code == 1
    findings = [(one["tenant"], one["rule"], one["code"]) for one in json.loads(result.stdout)["findings"]]
    assert ("acme", "lift-run-gap", "loosened") in findings


@pytest.mark.parametrize(
    ("change", "rule", "conflict"),
    [
        (
            "override:\n  lift-run-gap: {when: {gap: less than 160 h}, unless: [{same day: true}], because: x}\n",
            "lift-run-gap",
            "its sessions ",
        ),
        ("settings:\n  min_rest_days: {value: 6}\n", "min_rest_days", "At least 6 days of the week without a session"),
    ],
)
def test_lint_finds_what_no_reference_week_can_keep_with_the_conflict(
    rules_dir: Path, change: str, rule: str, conflict: str
) -> None:
    _tenant(rules_dir, HEADER + change)
    result = _run("lint", "--rules", rules_dir, "--tenant", "acme", "--json")
    assert result.exit_code == 1
    found = [one for one in json.loads(result.stdout)["findings"] if one["code"] == "unsatisfiable"]
    assert found and all(one["rule"] == rule and conflict in one["message"] for one in found)
    assert "cannot be placed at all" in found[0]["message"] and found[0]["line"]


def test_lint_has_nothing_to_say_of_the_shipped_rules(rules_dir: Path) -> None:
    assert _run("lint", "--rules", rules_dir).stdout == "no findings\n"


def test_status_names_a_broken_tenant_and_keeps_the_base(rules_dir: Path) -> None:
    path = _tenant(rules_dir, HEADER + "override: [\n")
    result = _run("status", "--rules", rules_dir)
    assert result.exit_code == 1
    assert f"not in force: {path}:4:11" in result.stdout
    assert "acme (from base)" in result.stdout


def test_explain_says_why_and_why_not_and_the_way_out() -> None:
    result = _run("explain", COLLISION, "--json")
    assert result.exit_code == 0, result.output
    told = {one["rule"]: one for one in json.loads(result.stdout)["rules"]}
    fired = told["heavy-lower-near-long-run"]
    assert fired["answer"] == "fires"
    assert fired["nearest_legal_start"]["session"] == "long"
    assert "gap 21 h (less than 24 h)" in fired["why"]
    assert told["easy-run-on-leg-day"]["answer"] == "silent"
    assert "needs more than 40 min" in told["easy-run-on-leg-day"]["why"]
    assert told["spread-hard-days"]["answer"] == "unknown"


def test_explain_reads_well_pack_by_pack_with_what_nobody_knows_last() -> None:
    told = _run("explain", COLLISION).stdout.splitlines()
    assert [line for line in told if not line.startswith(" ")][:2] == ["base.sequencing", "base.advice"]
    at = next(at for at, line in enumerate(told) if line.startswith("  fires   heavy-lower-near-long-run (hard): No "))
    assert told[at + 1 : at + 3] == [
        "          deadlifts then long: gap 21 h (less than 24 h)",
        "          nearest legal start: long on Sun 15 Mar 11:00",
    ]
    assert "  unknown spread-hard-days (soft): day strategy is unknown" in told
    assert any(line.startswith("          nearest miss: bench then easy: gap 15 min") for line in told)


def test_explain_tells_in_which_weeks_of_the_season_a_rule_decides() -> None:
    told = {one["rule"]: one for one in json.loads(_run("explain", RUNNER, "--json").stdout)["rules"]}
    assert told["every-fourth-week"]["answer"] == "fires"
    decides = "decides the weeks of 2022-11-07, 2022-12-05; weeks since deload 3 weeks (at least 3 weeks)"
    assert told["every-fourth-week"]["why"] == decides
    nearest = ("week of 2023-01-02", "class of the race tapered to: A, needs B")
    assert (told["taper-b-race"]["about"], told["taper-b-race"]["why"]) == nearest
    assert told["early-on-combined-ratio"]["causes"][0]["margin"] < 0
    why = "independent facts outside normal: 0, needs at least 2 for 4 days"
    assert told["early-on-two-signs"]["why"] == why
    assert told["early-on-two-signs"]["causes"][0]["held_days"] == 0
    assert told["lift-run-gap"]["about"].endswith(", as planned")


def test_explain_names_the_rules_that_leave_no_calendar_and_what_was_not_asked() -> None:
    told = json.loads(_run("explain", INFEASIBLE, "--json").stdout)
    assert [one["rule"] for one in told["rules"]] == ["heavy-lower-near-long-run"]
    assert told["rules"][0]["why"].startswith("leaves no calendar together with: The availability: 7 h in 2 windows")
    reasons = {reason["reason"] for reason in told["not_asked"] if reason["pack"] == "base.sequencing"}
    assert reasons == {"the week cannot be placed, so there is no calendar to look at"}
    one = _run("explain", INFEASIBLE, "--rule", "every-fourth-week")
    assert (one.exit_code, one.stdout) == (0, "not asked: the file has no 'season' and no 'goals'\n")


def test_explain_one_rule_and_a_misspelt_one() -> None:
    assert len(_run("explain", COLLISION, "--rule", "easy-share").stdout.splitlines()) == 2
    result = _run("explain", COLLISION, "--rule", "easy-shar")
    assert result.exit_code == 2
    assert "did you mean 'easy-share'?" in result.stderr


def test_schema_is_printed_or_written(tmp_path: Path) -> None:
    printed = json.loads(_run("schema").stdout)
    assert _run("schema", "--write", tmp_path / "schema.json").exit_code == 0
    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == printed
    nowhere = _run("schema", "--write", tmp_path / "no" / "schema.json")
    assert nowhere.exit_code == 1 and "cannot be written: No such file or directory" in nowhere.stderr


def test_diff_speaks_in_sentences(rules_dir: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(rules_dir, new)
    path = new / "base" / "sequencing.yaml"
    text = path.read_text(encoding="utf-8").replace("penalty: 40", "penalty: 50")
    path.write_text(text.replace("max_sessions_per_day:\n    value: 2", "max_sessions_per_day:\n    value: 1"), "utf-8")
    _tenant(new, HEADER + "override:\n  max-lower-near-quality-run: {when: {gap: less than 72 h}, because: x}\n")
    assert _run("diff", rules_dir, rules_dir).stdout == "no differences\n"
    base = _run("diff", rules_dir, new)
    assert base.exit_code == 1
    assert base.stdout.splitlines() == [
        "base.sequencing: easy-share: penalty 40 becomes 50",
        "base.sequencing: max_sessions_per_day: 2 becomes 1",
    ]
    tenant = _run("diff", rules_dir, new, "--tenant", "acme", "--json")
    told = [one["sentence"] for one in json.loads(tenant.stdout)["differences"]]
    assert told == ["gap: 48 h becomes 72 h", "penalty 40 becomes 50", "2 becomes 1"]


@pytest.mark.parametrize("rule", ["lift-run-gap", "easy-share", "every-fourth-week", "gate-easy-on-illness"])
def test_new_writes_a_pack_that_loads_and_changes_nothing_yet(rules_dir: Path, rule: str) -> None:
    written = _run("new", "acme", rule, "--rules", rules_dir)
    assert written.exit_code == 0, written.output
    assert _run("check", "--rules", rules_dir, "--tenant", "acme").exit_code == 0
    lint = _run("lint", "--rules", rules_dir, "--tenant", "acme", "--json")
    assert [one["code"] for one in json.loads(lint.stdout)["findings"] if one["rule"] == rule] == ["changes-nothing"]
    assert "is there already" in _run("new", "acme", rule, "--rules", rules_dir).stderr


def test_new_refuses_locked_and_unknown_rules(rules_dir: Path) -> None:
    assert "is locked" in _run("new", "acme", "overlap", "--rules", rules_dir).stderr
    assert "did you mean 'lift-run-gap'?" in _run("new", "acme", "lift-run-gp", "--rules", rules_dir).stderr
    assert "is no tenant id" in _run("new", "../acme", "lift-run-gap", "--rules", rules_dir).stderr


def test_impact_tells_the_decisions_that_change(rules_dir: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(rules_dir, new)
    _tenant(new, HEADER + "override:\n  heavy-lower-near-long-run: {when: {gap: less than 20 h}, because: x}\n")
    same = _run("impact", rules_dir, rules_dir, COLLISION)
    assert (same.exit_code, same.stdout) == (0, "0 decisions changed, for 0 of 1 athlete\n")
    result = _run("impact", rules_dir, new, COLLISION, "--tenant", "acme", "--json")
    assert result.exit_code == 1, result.output
    assert [(change["about"], change["sentence"]) for change in json.loads(result.stdout)["changes"]] == [
        (
            "week of 2026-03-09, as proposed",
            "heavy-lower-near-long-run no longer refuses deadlifts and long: long run 'long' starts 21 h after heavy "
            "full lift 'deadlifts' ends; at least 24 h are needed: No heavy lower-body lifting within 24 h of a long "
            "run, before or after",
        )
    ]
    assert _run("impact", rules_dir, new, tmp_path / "nobody.yaml").exit_code == 2


def test_impact_replays_done_weeks_past_mornings_the_week_ahead_and_the_season(rules_dir: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(rules_dir, new)
    _tenant(new, HEADER + "override:\n  lift-run-gap: {when: {gap: less than 13 h}, because: x}\n")
    _edit(new, "recovery", "when: {athlete: {score: less than 67}}", "when: {athlete: {score: less than 90}}")
    _edit(new, "recovery", "athlete: {score: 67}", "athlete: {score: 90}")
    _edit(new, "deload", "weeks_since_deload: at least 3}}\n    deload: {sets: -45 %", DEEPER)
    result = _run("impact", rules_dir, new, RUNNER, "--tenant", "acme", "--weeks", "2", "--json")
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert (told["athletes"], told["changed"]) == (1, 1)
    about = {change["about"] for change in told["changes"]}
    assert any(one.endswith(", as done") for one in about)
    assert "week of 2022-10-17, as planned" in about
    assert any("gate intensity: full becomes reduced" in change["sentence"] for change in told["changes"])
    mornings = sorted(one for one in about if one.startswith("morning of "))
    assert mornings[0] >= "morning of 2022-10-03" and mornings[-1] <= "morning of 2022-10-16"
    assert any("sets: " in change["sentence"] for change in told["changes"])
    sentences = [change["sentence"] for change in told["changes"] if "lift-run-gap" in change["sentence"]]
    assert sentences and len(sentences) == len(set(sentences))


def _edit(rules_dir: Path, kind: str, old: str, new: str) -> None:
    path = rules_dir / "base" / f"{kind}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def one_pack(tmp_path: Path) -> Path:
    """A tenant's pack that stands in no rules folder, as a coach keeps it."""
    path = tmp_path / "mine" / "sequencing.yaml"
    path.parent.mkdir()
    path.write_text(HEADER + "override:\n  easy-share: {penalty: 50, because: we care}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("whole_folder", [False, True])
def test_one_pack_or_a_folder_of_them_is_laid_over_the_shipped_base(one_pack: Path, whole_folder: bool) -> None:
    path = one_pack.parent if whole_folder else one_pack
    checked, tested, linted = _run("check", path), _run("test", path), _run("lint", path)
    assert (checked.exit_code, tested.exit_code, linted.exit_code) == (0, 0, 0), checked.output + linted.output
    assert [line.split(" (")[0] for line in checked.stdout.splitlines() if "remark" not in line] == [
        "tenant acme: acme.sequencing 1.0.0"
    ]
    assert tested.stdout.startswith("tenant acme: acme.sequencing: ")
    assert linted.stdout == "no findings\n"


def test_a_pack_is_checked_against_the_base_of_the_folder_named(rules_dir: Path, one_pack: Path) -> None:
    shipped = (rules_dir / "base" / "sequencing.yaml").read_text(encoding="utf-8")
    (rules_dir / "base" / "sequencing.yaml").write_text(shipped.replace("id: easy-share", "id: other-share"))
    result = _run("check", one_pack, "--rules", rules_dir)
    assert result.exit_code == 1
    assert f"{one_pack}:5:3: the base has no rule 'easy-share' to override" in result.stderr
    one_pack.write_text(one_pack.read_text(encoding="utf-8").replace("easy-share", "other-share"), encoding="utf-8")
    assert _run("check", one_pack, "--rules", rules_dir).exit_code == 0
    assert _run("check", one_pack).exit_code == 1, "the shipped base has no such rule"


def test_a_folder_with_a_base_is_what_rules_names(rules_dir: Path) -> None:
    _tenant(rules_dir, HEADER + "override:\n  easy-share: {penalty: 50, because: we care}\n")
    assert _run("check", rules_dir).stdout == _run("check", "--rules", rules_dir).stdout


def test_a_base_pack_stands_in_place_of_the_bases_own(tmp_path: Path) -> None:
    edited = tmp_path / "deload.yaml"
    shipped = (shipped_rules() / "base" / "deload.yaml").read_text(encoding="utf-8")
    edited.write_text(shipped.replace("version: ", "version: 9", 1).replace('version: 9"', 'version: "9'))
    result = _run("check", edited)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].startswith("base.deload 9")
    assert "sequencing" not in result.stdout


def test_a_folder_without_packs_is_told(tmp_path: Path) -> None:
    result = _run("check", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path}:1:1: neither a folder base/ nor rule files (*.yaml) in this folder\n"


MISNAMED = ("sequencing.yaml.txt", "deload.yml.bak", "recovery.YAML", "advice.yaml~")


def test_files_that_look_like_packs_and_are_not_read_are_findings(rules_dir: Path) -> None:
    folder = rules_dir / "tenants" / "acme"
    folder.mkdir(parents=True)
    for name in (*MISNAMED, "notes.txt", ".sequencing.yaml.swp"):
        (folder / name).write_text("x", encoding="utf-8")
    (folder / "renamed.txt").write_text("dialect: tandem-rules/1\n" + HEADER, encoding="utf-8")
    result = _run("check", "--rules", rules_dir)
    assert result.exit_code == 1
    told = [line for line in result.stdout.splitlines() if line.startswith("finding: ")]
    assert [line.split(":")[1].rsplit("/", 1)[1] for line in told] == sorted((*MISNAMED, "renamed.txt"))
    assert "rename or remove it" in told[0]
    findings = json.loads(_run("check", rules_dir, "--json").stdout)["findings"]
    assert [Path(one["file"]).name for one in findings] == sorted((*MISNAMED, "renamed.txt"))
    alone = _run("check", folder / "renamed.txt")
    assert alone.exit_code == 1
    status = _run("status", "--rules", rules_dir)
    assert status.exit_code == 0, "it stops nobody"
    assert status.stdout.count("remark: ") == 5
    remarks = json.loads(_run("status", "--rules", rules_dir, "--json").stdout)["remarks"]
    assert [Path(one["file"]).name for one in remarks] == sorted((*MISNAMED, "renamed.txt"))
    acme = _run("status", "--rules", rules_dir, "--tenant", "acme")
    assert acme.stdout.count("remark: ") == 5


@pytest.mark.parametrize(
    "command",
    [
        ["week", RUNNER], ["check", COLLISION], ["season", RUNNER], ["load", RUNNER], ["readiness", RUNNER],
        ["advice", RUNNER], ["rules", "explain", RUNNER], ["rules", "check"], ["rules", "test"], ["rules", "lint"],
        ["rules", "status"], ["rules", "sources"],
    ],
    ids=lambda command: " ".join(str(one) for one in command if not isinstance(one, Path)),
)  # fmt: skip
def test_a_mistyped_tenant_is_told_with_the_nearest(rules_dir: Path, command: list[str | Path]) -> None:
    _tenant(rules_dir, HEADER)
    arguments = [*map(str, command), "--rules", str(rules_dir), "--tenant", "acmee"]
    result = CliRunner().invoke(tandem, arguments)
    assert result.exit_code == 2
    assert result.stderr == (
        f"{rules_dir}/tenants/acmee:1:1: there are no rule files of this tenant; did you mean 'acme'?\n"
    )


@pytest.mark.parametrize("command", ["diff", "impact"])
def test_a_mistyped_tenant_of_neither_folder_is_told(rules_dir: Path, command: str) -> None:
    _tenant(rules_dir, HEADER)
    files = [RUNNER] if command == "impact" else []
    result = _run(command, shipped_rules(), rules_dir, *files, "--tenant", "acmee")
    assert result.exit_code == 2
    assert "did you mean 'acme'?" in result.stderr
    assert _run("diff", shipped_rules(), rules_dir, "--tenant", "acme").exit_code in (0, 1), "one of them will do"
