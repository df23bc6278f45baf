"""``tandem rules status --at``: what running processes decide by."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import eventlet
import pytest
from click.testing import CliRunner, Result

from shared.ops.health import HealthServer
from shared.ops.rule_page import rules_page
from shared.rules.lifecycle.rule_book import RuleBook
from tandem.commands.rules import rules

RULES = Path(__file__).resolve().parents[3] / "rules"
TENANT = """\
id: acme.sequencing
version: "1.0.0"
extends: base.sequencing@1
override:
  lift-run-gap: {penalty: 30, severity: soft, because: ours}
"""


def run(*arguments: str) -> Result:
    """In a thread of its own, as the servers asked run in this process."""
    result: Result = eventlet.spawn(CliRunner().invoke, rules, ["status", *arguments]).wait()
    return result


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[str], tuple[str, Path, RuleBook]]]:
    """A process's address, rule folder and rule book."""
    with ExitStack() as opened:

        def start(name: str, elsewhere: bool = False) -> tuple[str, Path, RuleBook]:
            folder = Path(shutil.copytree(RULES, tmp_path / name))
            book = RuleBook(folder, "reference")
            opened.callback(book.close)
            page = rules_page(book)
            asked = {"/rules": lambda asker: page(replace(asker, here=asker.here and not elsewhere))}
            server = opened.enter_context(HealthServer("127.0.0.1", 0, {}, asked))
            return f"http://127.0.0.1:{server.port}", folder, book

        yield start


def write(folder: Path, text: str) -> Path:
    file = folder / "tenants" / "acme" / "sequencing.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_processes_that_agree_say_so(process: Callable[[str], tuple[str, Path, RuleBook]]) -> None:
    first, second = process("first")[0], process("second")[0]
    result = run("--at", first, "--at", second)
    assert result.exit_code == 0, result.output
    assert "2 processes decide by the same packs" in result.stdout


def test_a_process_that_lags_behind_is_named(process: Callable[[str], tuple[str, Path, RuleBook]]) -> None:
    (first, _, _), (second, folder, book) = process("first"), process("second")
    write(folder, TENANT)
    book.poll()
    result = run("--at", first, "--at", second)
    assert result.exit_code == 1
    assert f"not the same everywhere: sequencing of acme at {second}" in result.stdout
    told = json.loads(run("--at", first, "--at", second, "--json").stdout)
    assert told["agree"] is False
    assert [one["at"] for one in told["processes"]] == [first, second]


def test_a_broken_file_is_named_with_its_line(process: Callable[[str], tuple[str, Path, RuleBook]]) -> None:
    address, folder, book = process("first")
    file = write(folder, TENANT.replace("override:", "overide:"))
    book.poll()
    result = run("--at", address)
    assert result.exit_code == 1
    assert f"not in force: {file}:4:1: a pack has no 'overide'; did you mean 'override'?" in result.stdout


def test_tenants_are_named_on_the_machine_itself_only(process: Callable[..., tuple[str, Path, RuleBook]]) -> None:
    address, folder, book = process("first")
    write(folder, TENANT)
    book.poll()
    passed_on = urllib.request.Request(f"{address}/rules?tenant=acme", headers={"X-Forwarded-For": "10.0.0.7"})
    with urllib.request.urlopen(passed_on) as answer:
        told = answer.read().decode()
    assert "acme" not in told
    assert json.loads(told)["own"]["tenants"] == 1
    own = run("--at", address, "--tenant", "acme")
    assert "acme (from files)" in own.stdout
    assert "base (from" not in own.stdout


def test_processes_on_other_machines_are_compared_without_names(
    process: Callable[..., tuple[str, Path, RuleBook]],
) -> None:
    (here, folder, book), (there, other_folder, other) = process("first"), process("second", elsewhere=True)
    write(folder, TENANT)
    book.poll()
    result = run("--at", there, "--at", here)
    assert result.exit_code == 1
    assert "0 tenants with packs of their own" in result.stdout
    assert f"not the same everywhere: packs of all tenants at {here}" in result.stdout
    write(other_folder, TENANT)
    other.poll()
    assert "2 processes decide by the same packs" in run("--at", there, "--at", here).stdout
    write(other_folder, TENANT.replace("override:", "overide:"))
    other.poll()
    broken = run("--at", there)
    assert broken.exit_code == 1
    assert "1 of them with mistakes" in broken.stdout
    refused = run("--at", there, "--tenant", "acme")
    assert "names tenants only to who asks on its own machine" in refused.output


def test_an_address_that_does_not_answer(process: Callable[[str], tuple[str, Path, RuleBook]]) -> None:
    result = run("--at", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/rules does not answer" in result.output
    assert run("--at", "localhost").exit_code == 2
