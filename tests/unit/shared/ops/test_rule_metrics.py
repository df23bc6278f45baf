import io
import json
from collections.abc import Iterator

import pytest
import structlog

from shared.ops import metrics
from shared.ops.logging import configure_logging
from shared.ops.rule_metrics import RuleMetrics
from shared.rules.errors import RuleFileError

MISTAKE = RuleFileError("base/deload.yaml", 12, 5, "every-fourth-week", "there is no such word 'weak'")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    yield stream
    structlog.reset_defaults()


def counted(name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_evaluations_are_counted_by_pack_and_evaluator() -> None:
    labels = {"pack": "sequencing", "evaluator": "durable-rules"}
    before = counted("tandem_rule_evaluations_total", **labels)
    RuleMetrics().evaluated("base.sequencing", "durable-rules", 45, 0.002)
    assert counted("tandem_rule_evaluations_total", **labels) == before + 45


def test_tenants_packs_share_one_label_however_many_there_are() -> None:
    before = counted("tandem_rule_mismatches_total", pack="tenant")
    for tenant in ("acme", "zenith"):
        RuleMetrics().mismatched(f"{tenant}.sequencing", ["short-gap"])
    assert counted("tandem_rule_mismatches_total", pack="tenant") == before + 2


def test_a_change_for_a_thousand_tenants_is_two_lines_and_a_gauge(lines: io.StringIO) -> None:
    watch = RuleMetrics()
    watch.reloaded(None, "activated", 0.1)
    for left in (1000, 999, 1, 0):
        watch.reloaded(f"club-{left}", "activated", 0.02)
        watch.behind(left)
        assert counted("tandem_rule_tenants_behind") == left
    watch.reloaded("club-1", "refused", 0.02)
    told = [(line["event"], line.get("tenant")) for line in map(json.loads, lines.getvalue().splitlines())]
    assert told == [
        ("rules read again", None),
        ("tenants' packs are made anew, each at the latest when it is asked for", None),
        ("every tenant's packs are up to date", None),
        ("rules read again", "club-1"),
    ]


def test_a_mistake_is_told_with_its_place_and_only_once(lines: io.StringIO) -> None:
    watch = RuleMetrics()
    watch.refused([MISTAKE])
    watch.refused([MISTAKE])
    (line,) = map(json.loads, lines.getvalue().splitlines())
    assert (line["file"], line["line"], line["column"], line["rule"]) == (
        "base/deload.yaml",
        12,
        5,
        "every-fourth-week",
    )
    assert line["problem"] == "there is no such word 'weak'"
    assert counted("tandem_rule_files_refused") == 1


def test_a_mistake_that_comes_back_is_told_again(lines: io.StringIO) -> None:
    watch = RuleMetrics()
    watch.refused([MISTAKE])
    watch.refused([])
    assert counted("tandem_rule_files_refused") == 0
    watch.refused([MISTAKE])
    assert len(lines.getvalue().splitlines()) == 2


def test_an_engine_that_fails_is_counted_by_reason(lines: io.StringIO) -> None:
    before = counted("tandem_rule_engine_failures_total", reason="deadline")
    RuleMetrics().engine_failed("deadline", "no answer within 250 ms")
    assert counted("tandem_rule_engine_failures_total", reason="deadline") == before + 1
    assert json.loads(lines.getvalue())["reason"] == "deadline"


def test_a_missing_engine_is_counted_and_told_with_its_cure(lines: io.StringIO) -> None:
    before = counted("tandem_rule_engine_failures_total", reason="missing")
    RuleMetrics().engine_missing("durable-rules cannot be imported: no symbol; make setup compiles it")
    assert counted("tandem_rule_engine_failures_total", reason="missing") == before + 1
    told = json.loads(lines.getvalue())
    assert (told["level"], told["event"]) == ("error", "the rule engine is missing")
    assert told["problem"] == "durable-rules cannot be imported: no symbol; make setup compiles it"
