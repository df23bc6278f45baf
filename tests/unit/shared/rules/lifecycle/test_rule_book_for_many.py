"""What changes for everybody counts for everybody at once, and nobody waits for all the others."""

import threading
from datetime import date

import pytest

from shared.rules.lifecycle.making import make_packs
from shared.rules.lifecycle.rule_book import RuleBook
from tests.unit.shared.rules.rule_folder import TENANT, Files, Seen, Stored, threshold

SOFTER = TENANT.replace("{{when: {{gap: less than {hours} h}}", "{{severity: soft, penalty: {hours}")
"""Leaves the threshold to the base."""


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path / "rules")
    made.base()
    for number in range(1, 6):
        tenant = f"club-{number}"
        made.write(f"tenants/{tenant}/sequencing.yaml", SOFTER.format(tenant=tenant, hours=number))
    return made


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def book(files, seen):
    made = RuleBook(files.folder, "reference", observer=seen)
    yield made
    made.close()


def test_after_a_look_no_tenant_is_decided_for_by_the_old_base(book, files):
    before = book.for_tenant("club-3")
    files.base(hours=36)
    assert book.look(settled=False)
    assert book.behind == 5
    assert [threshold(book.for_tenant(f"club-{number}")) for number in (3, 1)] == [36, 36]
    assert book.behind == 3
    assert threshold(before) == 24, "a snapshot stays what it was"
    assert threshold(book.for_tenant(None)) == threshold(book.for_tenant("without-own-files")) == 36


def test_catching_up_goes_bit_by_bit_and_one_tenant_at_least(book, files, seen):
    files.base(hours=36)
    book.look(settled=False)
    seen.reloads.clear()
    assert [book.catch_up(seconds=0.0) for _ in range(5)] == [4, 3, 2, 1, 0]
    assert seen.reloads == [(f"club-{number}", "activated") for number in range(1, 6)]
    assert seen.waiting[-5:] == [4, 3, 2, 1, 0]
    assert not book.unfinished
    assert {one["behind"] for one in book.status()["tenants"]} == {False}


def test_a_combination_that_does_not_work_keeps_the_last_good_and_is_told(book, files, seen):
    files.write("base/sequencing.yaml", (files.folder / "base/sequencing.yaml").read_text().replace("day-gap", "a-gap"))
    book.look(settled=False)
    assert threshold(book.for_tenant(None)) == threshold(book.for_tenant("club-2")) == 24
    assert book.for_tenant("club-2").packs()[0].rules[0].id == "day-gap", "the base it was good with"
    assert book.unfinished
    book.catch_up()
    assert len(seen.refusals[-1]) == 5
    assert "no rule 'day-gap' to override" in book.errors()[0].message
    files.base(hours=30)
    book.poll()
    assert book.errors() == ()
    assert threshold(book.for_tenant("club-2")) == 30


def test_a_broken_base_does_not_keep_a_tenant_from_its_own_change(book, files):
    files.base(hours="many")
    files.tenant("club-1", 48)
    book.poll()
    assert [threshold(book.for_tenant(tenant)) for tenant in ("club-1", "club-2", None)] == [48, 24, 24]
    assert {one["tenant"]: len(one["errors"]) for one in book.status()["tenants"]}[None] == 1
    assert len(book.errors()) == 1


def test_base_and_tenant_may_be_saved_one_after_the_other(book, files):
    files.base(hours=36, version="2.0.0")
    book.poll()
    assert threshold(book.for_tenant("club-1")) == 24, "written for version 1, which it keeps"
    assert threshold(book.for_tenant(None)) == 36
    files.write("tenants/club-1/sequencing.yaml", TENANT.format(tenant="club-1", hours=40).replace("@1", "@2"))
    book.poll()
    assert threshold(book.for_tenant("club-1")) == 40
    files.base(hours=30, version="3.0.0")
    files.write("tenants/club-1/sequencing.yaml", TENANT.format(tenant="club-1", hours=50).replace("@1", "@3"))
    book.poll()
    assert [threshold(book.for_tenant(tenant)) for tenant in ("club-1", None)] == [50, 30], "or both at once"


def test_one_that_changes_while_it_is_made_anew_is_made_again(files, monkeypatch):
    meanwhile = []

    def make(evaluator, texts, *arguments):
        made = make_packs(evaluator, texts, *arguments)
        if meanwhile and texts.own:
            meanwhile.pop()()  # a moment after the tenant's packs were made over the base of 36 h
        return made

    def change():
        files.base(hours=40)
        book.look(settled=False)

    monkeypatch.setattr("shared.rules.lifecycle.making.make_packs", make)
    book = RuleBook(files.folder, "reference")
    files.base(hours=36)
    book.look(settled=False)
    meanwhile.append(change)
    assert threshold(book.for_tenant("club-1")) == 40
    assert meanwhile == []
    book.close()


def test_who_asks_while_somebody_makes_the_rules_waits_for_them(files, seen, monkeypatch):
    entered, go_on = threading.Event(), threading.Event()
    halting = []

    def make(evaluator, texts, *arguments):
        if halting and texts.own:
            entered.set()
            assert go_on.wait(20)
        return make_packs(evaluator, texts, *arguments)

    monkeypatch.setattr("shared.rules.lifecycle.making.make_packs", make)
    book = RuleBook(files.folder, "reference", observer=seen)
    files.base(hours=36)
    book.look(settled=False)
    seen.reloads.clear()
    halting.append(True)
    answers = []
    askers = [threading.Thread(target=lambda: answers.append(threshold(book.for_tenant("club-1")))) for _ in range(3)]
    for asker in askers:
        asker.start()
    assert entered.wait(20)
    go_on.set()
    for asker in askers:
        asker.join(20)
    assert answers == [36, 36, 36]
    assert seen.reloads == [("club-1", "activated")], "made once for all who asked"
    book.close()


def test_a_service_begins_with_the_base_and_reads_a_tenant_when_it_is_asked_for(files):
    stored = Stored()
    stored.activate("beta", 30)
    book = RuleBook(files.folder, "reference", stored, all_at_once=False)
    assert book.behind == 6
    assert threshold(book.for_tenant("beta")) == 30
    told = {one["tenant"]: one["from"] for one in book.status()["tenants"]}
    assert (told["beta"], told["club-1"]) == ("files", "not read yet")
    book.catch_up()
    assert set(stored.kept) == {None, "beta", *(f"club-{number}" for number in range(1, 6))}
    book.close()


class Away(Stored):
    """Does not answer as long as ``away``."""

    away = False

    def texts(self, tenant, on):
        if self.away:
            raise ConnectionError("away")
        return super().texts(tenant, on)

    def revisions(self):
        if self.away:
            raise ConnectionError("away")
        return super().revisions()

    def save(self, in_force):
        return not self.away and super().save(in_force)


def test_nothing_is_decided_by_the_base_for_a_tenant_that_could_not_be_read_yet(files):
    stored = Away()
    stored.activate("beta", 30)
    book = RuleBook(files.folder, "reference", stored, all_at_once=False)
    stored.away = True
    with pytest.raises(ConnectionError):
        book.for_tenant("beta")
    stored.away = False
    assert threshold(book.for_tenant("beta")) == 30
    book.close()


def test_files_count_and_are_kept_though_the_database_is_away_at_the_look(files):
    stored = Away()
    book = RuleBook(files.folder, "reference", stored)
    stored.away = True
    files.base(hours=36)
    with pytest.raises(ConnectionError):
        book.look(settled=False)
    assert threshold(book.for_tenant("club-1")) == 36
    book.catch_up()
    assert book.unfinished, "what is in force has to be stored yet"
    assert b"24 h" in stored.kept["club-1"].base[0].raw
    stored.away = False
    book.poll()
    assert not book.unfinished
    assert b"36 h" in stored.kept["club-1"].base[0].raw
    book.close()


def test_one_tenant_that_cannot_be_read_does_not_hold_up_the_others(files):
    class Odd(Stored):
        def texts(self, tenant, on):
            if tenant == "a-first":
                raise ConnectionError("only this one")
            return super().texts(tenant, on)

    stored = Odd()
    book = RuleBook(files.folder, "reference", stored)
    stored.activate("a-first", 30)
    stored.activate("beta", 31)
    with pytest.raises(ConnectionError, match="only this one"):
        book.poll()
    assert book.behind == 1
    assert threshold(book.for_tenant("beta")) == 31
    assert threshold(book.for_tenant("a-first")) == 24, "it had none before"
    book.close()


def test_replicas_whose_clocks_differ_agree_when_the_later_one_has_its_midnight(files):
    stored = Stored()
    days = {"early": date(2026, 3, 2), "late": date(2026, 3, 1)}
    early, late = (
        RuleBook(files.folder, "reference", stored, today=lambda name=name: days[name]) for name in ("early", "late")
    )
    stored.activate("beta", 30, starts=date(2026, 3, 2))
    for book in (early, late):
        book.poll()
    assert [threshold(book.for_tenant("beta")) for book in (early, late)] == [30, 24]
    days["late"] = date(2026, 3, 2)
    assert late.look()
    assert threshold(late.for_tenant("beta")) == 30
    early.close()
    late.close()


def test_the_summary_names_no_tenant_and_differs_when_one_tenants_packs_do(book, files):
    before = book.summary()
    files.tenant("club-1", 48)
    files.tenant("club-2", "many")
    book.poll()
    after = book.summary()
    assert "club" not in repr(after)
    assert (before["own"]["tenants"], after["own"]["with_errors"]) == (5, 1)
    assert before["own"]["hash"] != after["own"]["hash"]
    assert before["base"] == after["base"]
    assert [one["tenant"] for one in book.status("club-2")["tenants"]] == [None, "club-2"]
