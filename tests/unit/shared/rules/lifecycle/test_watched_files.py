"""What counts as a changed rule file, however it was written."""

import errno
import os
import shutil

import pytest

from shared.rules.errors import RuleFileErrors
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.lifecycle.watched_files import WatchedFiles
from shared.rules.reading.rule_files import read_files
from tests.unit.shared.rules.rule_folder import Files, threshold


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path / "rules")
    made.base()
    made.tenant("acme", 30)
    made.tenant("beta", 31)
    return made


@pytest.fixture
def watched(files):
    made = WatchedFiles(files.folder)
    made.changed()
    return made


BASE, ACME, BETA = "base/sequencing.yaml", "tenants/acme/sequencing.yaml", "tenants/beta/sequencing.yaml"


def test_a_file_being_written_waits_until_two_looks_find_it_alike(files, watched):
    whole = (files.folder / BASE).read_text() + "# the end\n"
    with (files.folder / BASE).open("w") as file:
        for part in (whole[:200], whole[200:]):
            file.write(part)
            file.flush()
            assert watched.changed(settled=True) == frozenset()
            assert watched.moving == {None}
    assert watched.changed(settled=True) == {BASE}
    assert watched.changed(settled=True) == frozenset()
    assert watched.moving == frozenset()


def test_half_a_file_that_would_be_sound_alone_never_decides(files):
    rule = (files.folder / BASE).read_text().partition("rules:\n")[2]
    both = (files.folder / BASE).read_text() + rule.replace("day-gap", "other-gap").replace("24", "30")
    files.write(BASE, both)
    book = RuleBook(files.folder, "reference")
    with (files.folder / BASE).open("w") as file:
        file.write(both.partition("  - id: other-gap")[0])
        file.flush()
        assert not book.look()
        assert book.settling
        assert len(book.for_tenant(None).pack("sequencing").rules) == 2
        file.write("  - id: other-gap" + both.partition("  - id: other-gap")[2] + "# mended\n")
    book.look()
    assert book.look()
    assert len(book.for_tenant(None).pack("sequencing").rules) == 2
    book.close()


def test_the_neighbours_of_a_file_being_written_wait_and_nobody_else(files, watched):
    files.base(hours=36)
    files.base(hours=20, effective="2027-01-01", name="next-year")
    files.tenant("acme", 40)
    watched.changed(settled=True)
    files.base(hours=37)
    assert watched.changed(settled=True) == {ACME}
    assert watched.changed(settled=True) == {BASE, "base/next-year.yaml"}


def test_two_changes_of_one_length_in_one_tick_of_the_clock_are_both_seen(files, watched):
    files.tenant("acme", 32)
    watched.changed(settled=True)
    stat = (files.folder / ACME).stat()
    text = (files.folder / ACME).read_text()
    (files.folder / ACME).write_text(text.replace("32", "33"))
    os.utime(files.folder / ACME, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    watched.changed(settled=True)
    assert watched.changed(settled=True) == {ACME}


@pytest.mark.parametrize("taken", ["acme", ""])
def test_a_folder_taken_away_is_noticed(files, watched, taken):
    shutil.rmtree(files.folder / "tenants" / taken)
    expected = {ACME} if taken else {ACME, BETA}
    assert watched.changed(settled=True) == frozenset()
    assert watched.changed(settled=True) == expected


def test_a_file_replaced_by_renaming_and_one_behind_a_link(files, watched, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "first.yaml").write_text("a: 1\n")
    (volume / "second.yaml").write_text("a: 2\n")
    link = files.folder / "tenants/acme/linked.yaml"
    link.symlink_to(volume / "first.yaml")
    assert watched.changed() == {"tenants/acme/linked.yaml"}
    link.unlink()
    link.symlink_to(volume / "second.yaml")
    files.tenant("acme", 30.5)  # written beside and renamed, as editors do
    assert watched.changed() == {"tenants/acme/linked.yaml", ACME}


def test_what_an_editor_leaves_beside_a_file_is_no_rule_file(files, watched):
    folder = files.folder / "tenants/acme"
    (folder / ".#sequencing.yaml").symlink_to("kim@laptop.4711")  # Emacs, while the file is open
    (folder / "._sequencing.yaml").write_bytes(b"\0\5\26\7")  # macOS, on foreign file systems
    (folder / "sequencing.yaml~").write_text("old")
    assert watched.changed() == frozenset()
    assert len(read_files(folder)) == 1


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_cannot_be_read_is_told_and_holds_up_nobody_else(files, kind):
    book = RuleBook(files.folder, "reference")
    odd = files.folder / "tenants/acme/odd.yaml"
    odd.mkdir() if kind == "folder" else os.mkfifo(odd)
    files.tenant("beta", 50)
    book.poll()
    assert [threshold(book.for_tenant(tenant)) for tenant in ("acme", "beta")] == [30, 50]
    (error,) = book.errors()
    assert (error.file, error.message) == (str(odd), "cannot be read: it is no regular file")
    book.close()


@pytest.mark.parametrize("place", ["tenants", "tenants/acme"])
def test_a_disk_that_does_not_answer_is_no_folder_taken_away(files, watched, monkeypatch, place):
    listed = os.listdir

    def failing(path):
        if str(path) == f"{files.folder}/{place}":
            raise OSError(errno.EIO, "Input/output error")
        return listed(path)

    book = RuleBook(files.folder, "reference")
    monkeypatch.setattr(os, "listdir", failing)
    assert watched.changed() == frozenset()
    files.base(hours=36)
    book.poll()
    assert [threshold(book.for_tenant(tenant)) for tenant in ("acme", "beta")] == [30, 31]
    if place != "tenants":
        with pytest.raises(RuleFileErrors, match=r"acme:1:1: cannot be read: Input/output error"):
            read_files(files.folder / place)
        assert [str(error.file) for error in book.errors()] == [str(files.folder / place)]
    book.close()
