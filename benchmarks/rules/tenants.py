"""A service with a thousand tenants who each have packs of their own: memory, time to load, time to answer, and what
it takes when a file of the base changes that all of their packs lie over.

Run as ``python -m benchmarks.rules.tenants TENANTS``; prints one JSON line. In a process of its own, so that nothing
else is counted. Each tenant changes three sequencing rules and one deload rule, none like another's.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from benchmarks.rules.processes import MB, resident_bytes
from benchmarks.rules.week import ATHLETE, CLASSES
from benchmarks.rules.work import works
from shared.rules.lifecycle.intervals import BREATH_S, LOOK_EVERY_S, SETTLING_S, SLICE_S
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.reading.garbage_collection import freeze_existing

BASE = Path(__file__).resolve().parents[2] / "rules" / "base"

SEQUENCING = """\
dialect: tandem-rules/1
id: {tenant}.sequencing
version: "1.0.0"
extends: base.sequencing@1
override:
  heavy-lower-near-quality-run:
    when: {{gap: less than {quality:g} h}}
    because: Athletes here work in shifts.
    examples:
      - name: an hour short
        first: {{kind: lift, region: lower, effort: heavy}}
        then: {{kind: run, type: intervals}}
        gap_hours: {before:g}
        expect: violates
  heavy-lower-near-long-run: {{when: {{gap: less than {long:g} h}}, because: The long run counts most here.}}
  key-run-before-lift: {{penalty: {penalty}, because: Lifting may come first.}}
"""
DELOAD = """\
dialect: tandem-rules/1
id: {tenant}.deload
version: "1.0.0"
extends: base.deload@1
override:
  early-on-combined-ratio: {{when: {{athlete: {{acwr_combined: more than {ratio:g}}}}}, because: New athletes.}}
"""


def write_tenants(rules: Path, tenants: int) -> list[str]:
    shutil.copytree(BASE, rules / "base")
    names = [f"club-{n}" for n in range(tenants)]
    for n, name in enumerate(names):
        folder = rules / "tenants" / name
        folder.mkdir(parents=True)
        quality = 8.0 + (n + 1) / 1000
        texts = {"tenant": name, "quality": quality, "before": quality - 1, "long": 20 + (n + 1) / 500}
        (folder / "sequencing.yaml").write_text(SEQUENCING.format(**texts, penalty=n % 1000))
        (folder / "deload.yaml").write_text(DELOAD.format(tenant=name, ratio=1.4 + (n + 1) / 100_000))
    return names


OLD, NEW = "{week: {hard_days_in_a_row: more than 3}}", "{week: {hard_days_in_a_row: more than 3.5}}"
BETWEEN = {"hard_days_in_a_row": 3.2}
"""A week that breaks the old rule and not the new one."""


def save(rules: Path, old: str, new: str) -> None:
    """Edits the base's sequencing pack as an editor does."""
    file = rules / "base" / "sequencing.yaml"
    text = file.read_text()
    assert text.count(old) == 1
    beside = file.with_suffix(".new")
    beside.write_text(text.replace(old, new))
    beside.replace(file)


def look(book: RuleBook) -> float:
    """Seconds of the two looks after which a saved file counts."""
    began = perf_counter()
    book.look()
    assert book.settling
    book.look()
    return perf_counter() - began


def base_changed(book: RuleBook, rules: Path, names: Sequence[str]) -> dict[str, float]:
    """``worst_s``: from the saved file to a tenant's decision by it, for the tenant that waits longest; the watch may
    just have looked when the file is saved, and looks again for a file to be written to its end."""
    save(rules, OLD, NEW)
    look_s = look(book)
    first_s = []
    freeze_existing()
    for number, name in enumerate(names):
        if number % 25 == 0:
            freeze_existing()  # as the watch of a service does between tenants
        began = perf_counter()
        (fired,) = book.for_tenant(name).decide("sequencing", [BETWEEN])
        first_s.append(perf_counter() - began)
        assert "medium-hard-smear" not in {one.id for one in fired}, f"{name} was decided for by the old base"
    save(rules, NEW, OLD)
    look(book)
    began, slices_s = perf_counter(), []
    while book.unfinished:
        if len(slices_s) % 25 == 0:
            freeze_existing()
        slice_began = perf_counter()
        book.catch_up(SLICE_S)
        slices_s.append(perf_counter() - slice_began)
        sleep(BREATH_S)
    assert not book.errors()
    return {
        "worst_s": LOOK_EVERY_S + SETTLING_S + look_s + max(first_s),
        "look_s": look_s,
        "first_ms": median(first_s) * 1000,
        "first_worst_ms": max(first_s) * 1000,
        "background_s": perf_counter() - began,
        "slice_ms": median(slices_s) * 1000,
        "slice_worst_ms": max(slices_s) * 1000,
    }


def measure(tenants: int) -> dict[str, float]:
    days = works(questions=5)[1].questions
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder)
        names = write_tenants(rules, tenants)
        began = perf_counter()
        book = RuleBook(rules, "durable-rules")
        loaded_s = perf_counter() - began
        if errors := book.errors():
            raise SystemExit(f"the tenants' packs are not usable: {errors[0]}")
        pid = book.for_tenant(None).engine_statistics().worker_pid
        assert pid is not None
        after_load = resident_bytes(os.getpid()) + resident_bytes(pid)
        answer_s = []
        for name in names:
            began = perf_counter()
            mine = book.for_tenant(name)
            mine.decide("deload", days)
            mine.conflict_table(CLASSES, ATHLETE)
            answer_s.append(perf_counter() - began)
        parent, worker = resident_bytes(os.getpid()), resident_bytes(pid)
        hashes = {book.for_tenant(name).pack("sequencing").hash for name in names}
        assert len(hashes) == tenants, "every tenant has a pack of its own"
        changed = base_changed(book, rules, names)
        after_change = resident_bytes(os.getpid()) + resident_bytes(pid)
        book.close()
    return {
        **changed,
        "after_change_mb": after_change / MB,
        "tenants": tenants,
        "load_s": loaded_s,
        "after_load_mb": after_load / MB,
        "parent_mb": parent / MB,
        "worker_mb": worker / MB,
        "answer_ms": median(answer_s) * 1000,
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
