"""No closed list stands a second time: neither its words in a row, nor as a table's keys, nor as a model's fields.

The lists are the ``Literal`` types of ``shared/contract`` and of the rules' model, the items of a morning and the
factors of readiness. A table that says something about each word is fine where it is complete, and a choice of some
words where it says why; both are named below.
"""

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from sqlalchemy import String

import services.load.messages as load_messages
import services.recovery.messages as recovery_messages
from services.load.store import SessionRow
from services.recovery.store import DoneSessionRow
from shared.contract.sessions import KINDS, KINDS_OF_TAG, LOAD_PARTS, SESSION_KINDS, SESSION_TAGS, TAGS, Demand
from shared.contract.wellness import FACTORS, SIGNS, USUAL_ITEMS, WELLNESS, WellnessItems
from shared.contract.words import SERVICES, STREAMS
from shared.messages.values import DayLoad, Tagged
from shared.ops.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DECLARED_IN = ("shared.contract.sessions", "shared.contract.wellness", "shared.contract.words", "shared.rules.model")
SYMBOLS = ("Op", "Unit")
"""How to compute with an operator or a unit is code about each of them, not a list."""
FEWEST = 3
"""Words of one list in a row that are a copy of it and no chance."""

WHOLE: Mapping[str, tuple[str, ...]] = {
    "services/load/domain/alerts.py": ("Stream",),
    "services/load/domain/daily.py": ("LoadPart",),
    "services/load/domain/effort.py": ("ScoreMethod",),
    "services/load/messages.py": ("Stream", "LoadPart", "Tag"),
    "services/periodization/domain/deloads.py": ("DeloadCause",),
    "services/scheduling/domain/week_plan.py": ("BudgetSpent",),
    "shared/messages/values.py": ("Tag", "LoadPart"),
    "shared/rules/authoring/reference_page.py": ("Shape", "Outcome", "RuleMode"),
    "shared/rules/authoring/supplied_features.py": ("PackKind",),
    "shared/rules/vocabulary.py": ("PackKind", "Shape"),
    "tandem/demo/chart.py": ("Stream", "Band"),
    "tandem/views/advice.py": ("Answer",),
    "tandem/views/console.py": ("Stream", "Band", "Colour", "Phase"),
    "tandem/views/load.py": ("LoadStatus", "Lapse"),
}
"""Tables that say something about each word, and models with a field for each: complete, or this test fails."""
SOME: Mapping[str, Mapping[str, str]] = {
    "services/load/domain/ratios.py": {"LoadStatus": "each answers a condition of its own, 'ok' where none holds"},
    "services/recovery/domain/factors.py": {"FACTORS": "those with a formula of their own", "Sign": "the same words"},
    "services/recovery/domain/measures.py": {"FACTORS": "windows over what was measured", "Sign": "the same words"},
    "services/recovery/domain/signs.py": {
        "Sign": "those that are no answers",
        "FACTORS": "the same words",
        "WELLNESS": "those that tell of the same thing as another",
    },
    "services/scheduling/domain/calendar.py": {"RunType": "those whose word alone does not read well before 'run'"},
    "shared/rules/authoring/json_schema.py": {"Shape": "all but pairs", "Outcome": "those without named values"},
    "shared/rules/reading/conditions.py": {"Shape": "all but pairs, which are written otherwise"},
    "shared/rules/reading/setting_shapes.py": {"FACTORS": "what has a least spread", "Sign": "the same words"},
    "shared/rules/reading/outcome_values.py": {"Outcome": "those with named values"},
    "shared/rules/vocabulary.py": {"Outcome": "what a kind of pack may ask for"},
    "tandem/athlete_file/model.py": {"Shape": "parts of the file that happen to be called so"},
    "tandem/cli.py": {"Shape": "commands that happen to be called so"},
    "tandem/offline/populations.py": {
        "WELLNESS": "those that are drawn",
        "FACTORS": "those of them that change",
        "Sign": "the same words",
    },
    "tandem/offline/explanations.py": {"PackKind": "packs whose rules are about a day or a season"},
}
"""Choices of some words, with their reason."""


@cache
def closed_lists() -> dict[str, frozenset[str]]:
    """Name -> words. Of two lists with the same words the last."""
    by_words: dict[frozenset[str], str] = {}
    for module in map(importlib.import_module, DECLARED_IN):
        for name, value in vars(module).items():
            words = frozenset(get_args(value)) if get_origin(value) is Literal else frozenset()
            if len(words) >= FEWEST and name not in SYMBOLS:
                by_words[words] = name
    by_words |= {frozenset(WELLNESS): "WELLNESS", frozenset(FACTORS): "FACTORS"}
    return {name: words for words, name in by_words.items()}


def lists_in(texts: frozenset[str]) -> dict[str, frozenset[str]]:
    """By list what a row has of it; less what it has because all of another list is in it."""
    lists = closed_lists()
    has = {name: texts & words for name, words in lists.items() if len(texts & words) >= FEWEST}
    whole = [has[name] for name in has if has[name] == lists[name]]
    return {name: some for name, some in has.items() if some == lists[name] or not any(some <= all_ for all_ in whole)}


def rows(source: str) -> Iterator[tuple[int, frozenset[str]]]:
    """Line and texts of everything that could enumerate a list: rows, tables' keys, models' fields."""
    for node in ast.walk(ast.parse(source)):
        parts: list[Any] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = [getattr(part, "value", None) for part in node.elts]
        elif isinstance(node, ast.Dict):
            parts = [getattr(key, "value", None) for key in node.keys]
        elif isinstance(node, ast.ClassDef):
            parts = [getattr(line.target, "id", None) for line in node.body if isinstance(line, ast.AnnAssign)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = node.value.strip("^$()").split("|")
        texts = frozenset(part for part in parts if isinstance(part, str))
        if len(texts) >= FEWEST:
            yield getattr(node, "lineno", 0), texts


@cache
def found() -> dict[tuple[str, str], list[tuple[int, frozenset[str]]]]:
    """By file and list where words of it stand in a row."""
    places = defaultdict(list)
    for folder in ("services", "shared", "tandem"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "migrations" in path.parts or name.removesuffix(".py").replace("/", ".") in DECLARED_IN:
                continue  # what a migration once made is history
            for line, texts in rows(path.read_text(encoding="utf-8")):
                for of, words in lists_in(texts).items():
                    places[name, of].append((line, words))
    return places


def test_no_list_stands_a_second_time() -> None:
    allowed = {(path, of) for reasons in (WHOLE, SOME) for path, lists in reasons.items() for of in lists}
    copies = {place: rows for place, rows in found().items() if place not in allowed}
    assert not copies, "take the words from the list, or say above why not"
    assert not allowed - found().keys(), "nothing there any more"


@pytest.mark.parametrize(("path", "of"), [(path, of) for path, lists in WHOLE.items() for of in lists])
def test_what_says_something_about_each_word_leaves_none_out(path: str, of: str) -> None:
    assert any(words == closed_lists()[of] for _, words in found()[path, of])


def test_a_kind_says_how_hard_each_word_of_its_grading_tag_is() -> None:
    assert tuple(SESSION_KINDS) == KINDS
    for kind in SESSION_KINDS.values():
        assert kind.graded_by is None or kind.graded_by in kind.tags
        assert kind.demand.keys() == set(kind.graded_words)
        assert set(kind.demand.values()) <= set(get_args(Demand))
        assert kind.part in LOAD_PARTS


def test_every_tag_has_a_field_of_its_words_in_every_message_about_a_session() -> None:
    assert tuple(SESSION_TAGS) == TAGS
    assert all(KINDS_OF_TAG[tag] for tag in TAGS)
    for model in (Tagged, load_messages.SessionScored):
        assert words_of(model, "kind") == set(KINDS)
        for tag in TAGS:
            assert words_of(model, tag) == set(SESSION_TAGS[tag].words)


def words_of(model: type[BaseModel], field: str) -> set[str]:
    annotation = model.model_fields[field].annotation
    return {word for part in (annotation, *get_args(annotation)) for word in get_args(part) if isinstance(word, str)}


@pytest.mark.parametrize("column", [SessionRow.__table__.c.kind, DoneSessionRow.__table__.c.kind], ids=str)
def test_every_kind_fits_its_column(column: Any) -> None:
    assert isinstance(column.type, String) and column.type.length is not None
    assert max(map(len, KINDS)) <= column.type.length, "a longer word needs a migration that widens the column"


def test_an_item_without_a_range_is_a_yes_or_no() -> None:
    for name, field in WellnessItems.model_fields.items():
        reported = get_args(get_args(field.annotation)[0])[0]
        assert WELLNESS[name].flag is (reported is bool), name
        assert not WELLNESS[name].usual or WELLNESS[name].better, name


def test_a_sign_is_a_usual_item_or_has_a_measure_of_its_own() -> None:
    source = (ROOT / "services/recovery/domain/signs.py").read_text(encoding="utf-8")
    measured = {sign for _, words in rows(source) for sign in words}
    assert set(SIGNS) <= measured | set(USUAL_ITEMS)


def test_a_days_figures_have_fields_for_each_stream_and_part() -> None:
    figures = {f"{name}_{stream}" for name in ("acwr", "status", "band") for stream in STREAMS}
    assert load_messages.DayFigures.model_fields.keys() == {"date", "state"} | figures
    assert DayLoad.model_fields.keys() == {"date", *LOAD_PARTS}
    assert recovery_messages.LoadOfDay.model_fields.keys() == {"date", "state"} | {
        name for name in figures if not name.startswith("band")
    }


def test_every_service_has_its_folder_and_its_database() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/service.py")}
    assert folders == set(SERVICES)
    databases = {name.removesuffix("_database_url") for name in Settings.model_fields if name.endswith("_database_url")}
    assert databases == set(SERVICES)
