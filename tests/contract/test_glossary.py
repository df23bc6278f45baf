"""The glossary: sorted, one sentence and a link each, and complete against the words that the code closes."""

import re
from typing import get_args

from prometheus_client.metrics import MetricWrapperBase

from shared.contract.words import INTENSITIES, STREAMS, Severity
from shared.ops import metrics
from shared.rules.model import Outcome, PackKind, Shape
from shared.rules.vocabulary import FEATURES
from tests.contract.documents import ROOT, links, read

GLOSSARY = ROOT / "docs" / "explanation" / "glossary.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in read(GLOSSARY).splitlines()
    if line.startswith("| ")
][1:]
TERMS = {term: meaning for term, meaning, _ in ROWS}

OF_THE_FIELD = """
acknowledge, at least once, back-off, batch, cache, command, confirm, dead letter, dispatch, drain, event, exchange,
fair share, fallback, handler, idempotent, inbox, migration, outbox, poison message, prefetch, projection, publish,
query, quorum queue, replica, reply, retention, retry, roll back, routing key, row-level security, runbook, throttle,
unit of work, upsert, use case
"""
OF_OURS = """
acute load, acwr, athlete file, athlete lock, atl, base pack, chronic load, conflict table, cross-check, crowded
queue, ctl, decided_by, deload, feature, gate, limiting factor, pack, parked, quality run, readiness, reference
evaluator, shadow mode, stream, taper, tenant, tenant pack, tsb, version
"""
SAID_BY = {  # a word in the name of a metric -> the term that explains it
    "aside": "set aside",
    "batch": "batch",
    "decisions": "decided_by",
    "duplicate": "idempotent",
    "engine": "durable-rules",
    "event": "event",
    "expired": "expired",
    "lag": "event loop",
    "loop": "event loop",
    "mismatches": "cross-check",
    "outbox": "outbox",
    "parked": "parked",
    "planning": "planning process",
    "publish": "publish",
    "published": "publish",
    "queries": "query",
    "rejected": "rejected",
    "replies": "reply",
    "restricted": "restricted",
    "retries": "retry",
    "set": "set aside",
    "tenants": "tenant",
    "timer": "timer",
    "watched": "watch",
    "writable": "writable",
}
PLAIN = """
accepted answered answers behind broker connected consumed cpu database dropped ended evaluation evaluations events
failures files flight handling in message messages oldest processes refused reload reloads rows rule rules runs seconds
solve solved tandem waiting week weeks
"""


def words(text: str) -> list[str]:
    return [word.strip() for word in text.replace("\n", " ").split(",")]


def quoted_in(term: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", TERMS[term]))


def test_terms_are_sorted_and_stand_once() -> None:
    terms = [term for term, _, _ in ROWS]
    assert terms == sorted(terms, key=str.casefold)
    assert len({term.casefold() for term in terms}) == len(terms) > 100


def test_each_has_one_sentence_and_a_link() -> None:
    assert [term for term, meaning, _ in ROWS if len(re.findall(r"[.!?](?=\s|$)", meaning)) != 1] == []
    assert [term for term, meaning, _ in ROWS if not meaning.endswith(".")] == []
    assert [term for term, _, more in ROWS if len(links(more)) != 1] == []


def test_the_words_people_search_for_are_there() -> None:
    assert [word for word in [*words(OF_THE_FIELD), *words(OF_OURS)] if word not in TERMS] == []


def test_whoever_searches_for_a_word_of_the_field_finds_a_page_that_uses_it() -> None:
    folders = (ROOT / "docs" / "explanation", ROOT / "docs" / "how-to", ROOT / "deploy" / "runbooks")
    texts = [
        re.sub(r"[\s-]+", " ", read(page).lower())
        for folder in folders
        for page in folder.glob("*.md")
        if page != GLOSSARY
    ]
    found = {word: [text for text in texts if word.replace("-", " ") in text] for word in words(OF_THE_FIELD)}
    assert [word for word, where in found.items() if not where] == []


def test_what_is_a_closed_list_in_the_code_is_whole() -> None:
    lists = {
        "band": FEATURES["band_run"].words,
        "colour": FEATURES["colour"].words,
        "day strategy": FEATURES["day_strategy"].words,
        "effort": FEATURES["first_effort"].words,
        "gate": INTENSITIES,
        "kind": FEATURES["first_kind"].words,
        "level": FEATURES["level"].words,
        "outcome": get_args(Outcome),
        "pack": get_args(PackKind),
        "phase": FEATURES["phase"].words,
        "priority": FEATURES["priority"].words,
        "region": FEATURES["first_region"].words,
        "severity": get_args(Severity),
        "shape": get_args(Shape),
        "stream": STREAMS,
    }
    assert {
        term: set(members) - quoted_in(term) for term, members in lists.items() if set(members) - quoted_in(term)
    } == {}


def test_what_the_metrics_are_called_is_explained() -> None:
    names = {
        word
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
        for word in family.name.split("_")
    }
    assert names == {*SAID_BY, *PLAIN.split()}
    assert [term for term in SAID_BY.values() if term not in TERMS] == []
