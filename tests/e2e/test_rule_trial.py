"""``tandem rules trial`` tells what an edit does to athletes who are well and to those who are not."""

import json
import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from tandem.cli import tandem
from tandem.offline.shipped_rules import shipped_rules


def trial(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(tandem, ["rules", "trial", str(shipped_rules()), str(folder), "--athletes", "8", *more])


def edited(folder: Path, **settings: tuple[str, str]) -> Path:
    shutil.copytree(shipped_rules(), folder)
    pack = folder / "base" / "recovery.yaml"
    text = pack.read_text(encoding="utf-8")
    for name, (was, now) in settings.items():
        before, after = text.split(f"  {name}:\n    value: {was}\n")
        text = f"{before}  {name}:\n    value: {now}\n{after}"
    pack.write_text(text, encoding="utf-8")
    return folder


def test_a_shorter_fuse_cries_over_the_well(tmp_path: Path) -> None:
    folder = edited(tmp_path / "rules", chart_limit=("2.3", "1.5"))
    result = trial(folder, "--population", "healthy_rho", "--json")
    assert result.exit_code == 1
    held = json.loads(result.stdout)["counts"][1]
    assert held["count"] == "held back on more than 4 % of days"
    assert held["new"] > held["old"] + 2
    assert "worse" in trial(folder, "--population", "healthy_rho").stdout


def test_a_longer_fuse_misses_the_overreached(tmp_path: Path) -> None:
    folder = edited(tmp_path / "rules", chart_limit=("2.3", "5"))
    result = trial(folder, "--population", "overreached_75", "--json")
    (found,) = json.loads(result.stdout)["counts"]
    assert (found["of"], found["better"]) == (8, "higher")
    assert found["new"] < found["old"]


def test_the_same_rules_change_nothing(tmp_path: Path) -> None:
    result = trial(edited(tmp_path / "rules"), "--population", "ill")
    assert (result.exit_code, result.stdout) == (0, "0 counts of 1 changed, over 8 athletes\n")


def test_an_unknown_population_is_told_with_those_there_are() -> None:
    result = trial(shipped_rules(), "--population", "sad")
    assert result.exit_code == 2
    assert "'sad' is none of healthy, healthy_rho" in result.stderr
