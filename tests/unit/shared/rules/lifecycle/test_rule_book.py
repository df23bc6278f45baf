"""A saved rule file is in force at the next look; a broken one changes nothing and is told."""

import os
import random
import shutil
from datetime import date

import pytest

from shared.rules.errors import RuleFileErrors
from shared.rules.lifecycle.rule_book import RuleBook, open_rules
from tests.unit.shared.rules.rule_folder import LIFT_RUN, TENANT, Files, Seen, Stored, forbids, threshold


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path / "rules")
    made.base()
    return made


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def book(files, seen):
    made = RuleBook(files.folder, observer=seen)
    yield made
    made.close()


@pytest.mark.parametrize("evaluator", ["durable-rules", "reference"])
def test_rules_are_opened_for_a_command(files, evaluator):
    with open_rules(files.folder, evaluator=evaluator) as rules:
        assert (forbids(rules, 23.9), forbids(rules, 24.0)) == (True, False)
        statistics = rules.engine_statistics()
        assert rules.evaluator() == statistics.evaluator == evaluator
        assert (statistics.decisions, statistics.reference_decisions) == (
            (2, 0) if evaluator == "durable-rules" else (0, 2)
        )


def test_a_closed_command_leaves_no_process(files):
    with open_rules(files.folder) as rules:
        forbids(rules, 1.0)
        pid = rules.engine_statistics().worker_pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_live_decisions_are_rechecked_by_the_dice_given(files):
    with open_rules(files.folder, rechecks=random.Random(3)) as rules:
        rules.decide("sequencing", [{**LIFT_RUN, "gap_hours": 1.0}] * 2_000)
        statistics = rules.engine_statistics()
    assert 5 < statistics.rechecked < 45
    assert statistics.mismatches == 0


def test_broken_files_cannot_be_opened(files):
    files.base(hours="24 h and a bit")
    with pytest.raises(RuleFileErrors, match=r"sequencing\.yaml:10:\d+: rule day-gap"):
        open_rules(files.folder)


def test_one_number_edited_changes_decision_and_hash_at_the_next_look(book, files):
    before = book.for_tenant(None)
    assert book.poll() is False
    files.base(hours=36)
    assert book.poll() is True
    after = book.for_tenant(None)
    assert (threshold(before), threshold(after)) == (24, 36)
    (old,), (new,) = (rules.decide("sequencing", [{**LIFT_RUN, "gap_hours": 1.0}])[0] for rules in (before, after))
    assert old.decided_by.hash != new.decided_by.hash == after.pack("sequencing").hash[:12]


def test_a_file_touched_but_not_changed_is_not_loaded_again(book, files, seen):
    loaded = list(seen.reloads)
    os.utime(files.folder / "base/sequencing.yaml", (1, 1))
    assert book.poll() is False
    assert seen.reloads == loaded


def test_a_broken_file_changes_nothing_and_is_told_with_its_place(book, files, seen):
    before = book.for_tenant(None)
    files.base(hours="many")
    book.poll()
    assert book.for_tenant(None) is before
    (error,) = book.status()["errors"]
    assert error["file"].endswith("base/sequencing.yaml")
    assert (error["line"], error["rule"]) == (10, "day-gap")
    assert error["column"] > 1
    assert "many" in error["message"]
    assert book.status()["tenants"][0]["packs"][0]["hash"] == before.pack("sequencing").hash[:12]
    assert seen.reloads[-1] == (None, "refused")
    assert seen.refusals[-1] == [10]


def test_a_mended_file_is_in_force_again(book, files, seen):
    files.base(hours="many")
    book.poll()
    files.base(hours=30)
    book.poll()
    assert threshold(book.for_tenant(None)) == 30
    assert book.status()["errors"] == []
    assert seen.reloads[-1] == (None, "activated")
    assert seen.refusals[-1] == []


def test_a_deleted_base_changes_nothing(book, files):
    (files.folder / "base/sequencing.yaml").unlink()
    book.poll()
    assert threshold(book.for_tenant(None)) == 24
    assert "no rule files" in book.status()["errors"][0]["message"]


def test_a_tenants_own_file_counts_for_that_tenant_only(book, files):
    files.tenant("acme", 48)
    book.poll()
    assert [threshold(book.for_tenant(tenant)) for tenant in ("acme", "other", None)] == [48, 24, 24]


def test_one_tenants_broken_file_holds_up_nobody_else(book, files):
    files.tenant("acme", 48)
    book.poll()
    files.tenant("acme", "many")
    files.base(hours=12)
    files.tenant("umbra", 72)
    book.poll()
    assert [threshold(book.for_tenant(tenant)) for tenant in ("acme", "umbra", None)] == [48, 72, 12]
    told = {one["tenant"]: len(one["errors"]) for one in book.status()["tenants"]}
    assert told == {None: 0, "acme": 1, "umbra": 0}


def test_a_changed_base_reaches_the_tenants_that_extend_it(book, files):
    files.write(
        "tenants/acme/sequencing.yaml",
        TENANT.format(tenant="acme", hours=48).replace("{when: {gap: less than 48 h}", "{severity: soft, penalty: 3"),
    )
    book.poll()
    files.base(hours=36)
    book.poll()
    (fired,) = book.for_tenant("acme").decide("sequencing", [{**LIFT_RUN, "gap_hours": 35.0}])
    assert [(one.id, one.rule.severity) for one in fired] == [("day-gap", "soft")]


def test_a_tenant_whose_files_are_taken_away_returns_to_the_base(book, files):
    files.tenant("acme", 48)
    book.poll()
    (files.folder / "tenants/acme/sequencing.yaml").unlink()
    book.poll()
    assert threshold(book.for_tenant("acme")) == 24
    assert [one["tenant"] for one in book.status()["tenants"]] == [None]


def test_a_service_cannot_begin_with_nothing(tmp_path):
    with pytest.raises(RuleFileErrors, match="no rule files"):
        RuleBook(tmp_path)


@pytest.mark.parametrize("stored", [None, Stored()], ids=["no database", "a new database"])
def test_a_service_cannot_begin_with_a_broken_base_alone(files, stored):
    files.base(hours="many")
    with pytest.raises(RuleFileErrors, match=r"sequencing\.yaml:10:\d+: rule day-gap"):
        RuleBook(files.folder, "reference", stored)


def test_the_stored_packs_outlive_files_that_cannot_be_used(files):
    stored = Stored()
    files.tenant("acme", 48)
    RuleBook(files.folder, stored=stored).close()
    files.base(hours="many")
    files.tenant("acme", "many")
    book = RuleBook(files.folder, stored=stored)
    assert [threshold(book.for_tenant(tenant)) for tenant in (None, "acme")] == [24, 48]
    assert [one["from"] for one in book.status()["tenants"]] == ["stored", "stored"]
    assert len(book.errors()) >= 2
    book.close()


def test_the_stored_packs_outlive_a_folder_that_is_gone(files):
    stored = Stored()
    files.tenant("acme", 48)
    stored.activate("beta", 30)
    RuleBook(files.folder, stored=stored).close()
    shutil.rmtree(files.folder)
    book = RuleBook(files.folder, stored=stored)
    assert [threshold(book.for_tenant(tenant)) for tenant in (None, "acme", "beta", "gamma")] == [24, 48, 30, 24]
    assert {error.message for error in book.errors()} == {"no rule files (*.yaml) in this folder"}
    book.close()


def test_a_stored_pack_counts_instead_of_the_file_of_its_kind_and_says_so(files):
    stored = Stored()
    files.tenant("acme", 48)
    book = RuleBook(files.folder, stored=stored)
    assert threshold(book.for_tenant("acme")) == 48
    stored.activate("acme", 30)
    assert book.poll()
    assert threshold(book.for_tenant("acme")) == 30
    assert threshold(book.for_tenant("beta")) == 24
    assert not book.poll()
    (told,) = [one for one in book.status()["tenants"] if one["tenant"] == "acme"]
    assert told["packs"][0]["stored"]
    assert told["files_not_counting"] == [str(files.folder / "tenants/acme/sequencing.yaml")]
    book.close()


def test_a_tenant_whose_stored_packs_are_forgotten_is_decided_for_by_the_base(files):
    stored = Stored()
    book = RuleBook(files.folder, stored=stored)
    stored.activate("acme", 30)
    book.poll()
    assert threshold(book.for_tenant("acme")) == 30
    for table in (stored.activated, stored.numbers, stored.kept):
        del table["acme"]
    assert book.poll()
    assert threshold(book.for_tenant("acme")) == 24
    assert [one["tenant"] for one in book.status()["tenants"]] == [None]
    book.close()


@pytest.mark.parametrize("broken", ["base", "acme"])
def test_a_pack_activated_while_files_are_broken_counts(files, broken):
    stored = Stored()
    files.tenant("acme", 48)
    book = RuleBook(files.folder, stored=stored)
    files.base(hours="many") if broken == "base" else files.tenant("acme", "many")
    book.poll()
    stored.activate("acme", 30)
    book.poll()
    assert threshold(book.for_tenant("acme")) == 30
    assert bool(book.errors()) == (broken == "base"), "the tenant's file of this kind does not count any more"
    book.close()


def test_a_stored_pack_that_cannot_be_used_here_leaves_the_one_before(files):
    stored = Stored()
    stored.activate("acme", 30)
    book = RuleBook(files.folder, stored=stored)
    stored.activate("acme", "many")
    book.poll()
    assert threshold(book.for_tenant("acme")) == 30
    assert "stored/acme/many" in {error.file for error in book.errors()}
    stored.activate("acme", 31)
    book.poll()
    assert threshold(book.for_tenant("acme")) == 31
    assert book.errors() == ()
    book.close()


def test_stored_packs_count_from_their_day_and_can_be_asked_for_a_past_day(files):
    stored = Stored()
    days = [date(2026, 3, 1)]
    book = RuleBook(files.folder, stored=stored, today=lambda: days[-1])
    stored.activate("acme", 30, starts=date(2026, 3, 1))
    stored.activate("acme", 40, starts=date(2026, 3, 10))
    book.poll()
    assert threshold(book.for_tenant("acme")) == 30
    days.append(date(2026, 3, 10))
    assert book.poll()
    assert threshold(book.for_tenant("acme")) == 40
    assert [threshold(book.as_of("acme", day)) for day in (date(2026, 2, 1), date(2026, 3, 9), days[-1])] == [
        24,
        30,
        40,
    ]
    book.close()


def test_a_database_that_fails_once_is_asked_again(files):
    class Failing(Stored):
        fails = 0

        def texts(self, tenant, on):
            if self.fails:
                self.fails -= 1
                raise ConnectionError("away")
            return super().texts(tenant, on)

    stored = Failing()
    book = RuleBook(files.folder, stored=stored)
    stored.activate("acme", 30)
    stored.fails = 2
    with pytest.raises(ConnectionError):
        book.poll()
    assert threshold(book.for_tenant("acme")) == 24
    assert book.poll()
    assert threshold(book.for_tenant("acme")) == 30
    book.close()


def test_a_tenant_broken_from_the_start_gets_the_base_and_is_told(files):
    files.tenant("acme", "many")
    book = RuleBook(files.folder)
    assert threshold(book.for_tenant("acme")) == 24
    assert {one["tenant"]: one["from"] for one in book.status()["tenants"]} == {None: "files", "acme": "base"}
    assert len(book.errors()) == 1
    book.close()


def test_a_pack_with_a_later_date_comes_into_force_on_that_day(files):
    today = [date(2026, 3, 1)]
    files.base(hours=36, version="1.1.0", effective="2026-03-02", name="sequencing-march")
    book = RuleBook(files.folder, today=lambda: today[0])
    assert threshold(book.for_tenant(None)) == 24
    assert book.poll() is False
    today[0] = date(2026, 3, 2)
    assert book.poll() is True
    assert threshold(book.for_tenant(None)) == 36
    book.close()


def test_two_replicas_tell_the_same_of_the_same_files(book, files, tmp_path):
    copy = Files(tmp_path / "replica")
    copy.base()
    other = RuleBook(copy.folder, "reference")
    assert other.status()["files"] == book.status()["files"]
    copy.base(hours=25)
    other.poll()
    assert other.status()["files"] != book.status()["files"]
    other.close()


def test_without_the_engine_everything_works_and_says_so(files, monkeypatch):
    monkeypatch.setenv("TANDEM_RULES_ENGINE", "reference")
    book = RuleBook(files.folder)
    assert threshold(book.for_tenant(None)) == 24
    status = book.status()
    assert status["evaluator"] == "reference"
    assert status["engine"]["reason"] == "TANDEM_RULES_ENGINE=reference"
    assert status["engine"]["reference_decisions"] == 80
    assert status["engine"]["worker_pid"] is None
    files.base(hours=36)
    book.poll()
    assert threshold(book.for_tenant(None)) == 36
