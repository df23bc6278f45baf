"""Reads an athlete file: text, parse, validate; every problem at once with its line and column."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.contract.sessions import SESSION_KINDS, TAGS
from shared.contract.words import WEEK_STARTS, WEEKDAYS
from shared.located_yaml.json_parser import parse_json
from shared.located_yaml.nodes import Mistake
from shared.located_yaml.parser import parse_yaml
from shared.messages.validation import Problem, problems_of
from tandem.athlete_file.model import AthleteFile
from tandem.athlete_file.places import BadFile, Document, FileProblem, child_pointer, file_problem
from tandem.athlete_file.source import ATHLETE_FILE, read_text

_UNIQUE = {
    "sessions": "id",
    "goals": "id",
    "week/sessions": "id",
    "daily_load": "date",
    "days": "date",
    "wellness": "date",
}
_ABOUT_THE_KEY = {"extra_forbidden", "tag_of_other_kind"}


def read_athlete_file(path: Path) -> AthleteFile:
    """The athlete file at ``path``, YAML or JSON; raises ``BadFile`` with every problem."""
    return parse_athlete_file(read_text(path), str(path))


def parse_athlete_file(text: str, file: str) -> AthleteFile:
    """``text`` as an athlete file; ``file`` is the name used in problems and (by its ending) tells JSON from YAML."""
    return locate_athlete_file(text, file).athlete_file


@dataclass(frozen=True, slots=True)
class LocatedAthleteFile:
    """An athlete file that still knows where its values stand, for what is found wrong later."""

    athlete_file: AthleteFile
    document: Document

    def bad(self, problems: Iterable[Problem]) -> BadFile:
        """The problems (pointers into the file) with their line and column."""
        return BadFile([_at(self.document, problem) for problem in problems])


def locate_athlete_file(text: str, file: str) -> LocatedAthleteFile:
    """As ``parse_athlete_file``, with the places kept."""
    document, problems = read_document(text, file)
    result: AthleteFile | None = None
    if not isinstance(document.value, Mapping):
        message = "an athlete file is a mapping that begins with 'athlete:'"
        problems.append(_at(document, Problem("", "not_a_mapping", message)))
    else:
        refused = {(problem.line, problem.column) for problem in problems}
        problems += [_at(document, problem) for problem in (*_repeats(document), *_foreign_tags(document.value))]
        try:
            result = AthleteFile.model_validate(document.value)
        except ValidationError as error:
            problems += _model_problems(error, document, refused)
    if result is None or problems:
        raise BadFile(problems)
    return LocatedAthleteFile(_with_week_start(result), document)


def _with_week_start(file: AthleteFile) -> AthleteFile:
    """With ``week_starts_on`` as the file's own week, else its season, shows it, where the athlete does not say."""
    begins = file.week or file.season
    if file.athlete is None or begins is None or "week_starts_on" in file.athlete.model_fields_set:
        return file
    shown = WEEKDAYS[begins.start.weekday()]
    if shown not in WEEK_STARTS:
        return file
    return file.model_copy(update={"athlete": file.athlete.model_copy(update={"week_starts_on": shown})})


def read_document(text: str, file: str) -> tuple[Document, list[FileProblem]]:
    """The values of ``text``, and what is wrong with them as YAML or JSON; raises ``BadFile`` for no such text."""
    mistakes: list[Mistake] = []
    is_json = _is_json(text, file)
    root = parse_json(text, file, mistakes) if is_json else parse_yaml(text, file, ATHLETE_FILE, mistakes)
    if root is None:
        raise BadFile([file_problem(mistake) for mistake in mistakes])
    document = Document(file, root)
    return document, document.problems(mistakes)


def _is_json(text: str, file: str) -> bool:
    ending = Path(file).suffix.lower()
    return ending == ".json" or (ending not in (".yaml", ".yml") and text.lstrip()[:1] in ("{", "["))


def _repeats(document: Document) -> Iterator[Problem]:
    """Entries whose natural key (id or date) an earlier entry of the same list has."""
    for where, key in _UNIQUE.items():
        entries: Any = document.value
        for part in where.split("/"):
            entries = entries.get(part) if isinstance(entries, Mapping) else None
        seen: dict[tuple[str, int], int] = {}
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            value = entry.get(key) if isinstance(entry, Mapping) else None
            if not isinstance(value, str):
                continue
            week = _weeks_on(document.value, entry) if where == "week/sessions" else 0
            pointer = child_pointer(child_pointer(f"/{where}", index), key)
            if (value, week) in seen:
                first = document.position_of(f"/{where}/{seen[value, week]}/{key}").line
                yield Problem(
                    pointer, "duplicate", f"'{value}' is already used on line {first}; each {key} stands once"
                )
            seen.setdefault((value, week), index)


def _weeks_on(file: Mapping[str, Any], session: Mapping[str, Any]) -> int:
    """How many weeks after the file's week a proposed session stands: ids may come back every week."""
    try:
        start = date.fromisoformat(str(session["start"])[:10])
        return (start - date.fromisoformat(file["week"]["start"])).days // 7
    except (KeyError, TypeError, ValueError):
        return 0


def _model_problems(
    error: ValidationError, document: Document, refused: Container[tuple[int, int]]
) -> list[FileProblem]:
    """What the model refuses, less what is already told: misplaced tags, and values that the parser ``refused``."""
    found = (_at(document, problem) for problem in problems_of(error, AthleteFile, document.value))
    return [p for p in found if p.code != "tag_of_other_kind" and (p.line, p.column) not in refused]


def _foreign_tags(value: Mapping[str, Any], pointer: str = "") -> Iterator[Problem]:
    """Session tags that do not belong to their session's kind. The model finds them only where all else is right."""
    kind = SESSION_KINDS.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    for name, member in value.items():
        below = child_pointer(pointer, name)
        if kind is not None and name in TAGS and name not in kind.tags and member is not None:
            takes = " and ".join(kind.tags) or "no tag"
            yield Problem(below, "tag_of_other_kind", f"'{name}' is not for kind {value['kind']}, which takes {takes}")
        if isinstance(member, Mapping):
            yield from _foreign_tags(member, below)
        elif isinstance(member, list):
            for index, entry in enumerate(member):
                if isinstance(entry, Mapping):
                    yield from _foreign_tags(entry, child_pointer(below, index))


def _at(document: Document, problem: Problem) -> FileProblem:
    at = document.position_of(problem.pointer, prefer_key=problem.code in _ABOUT_THE_KEY)
    name = _field_name(problem.pointer)
    says_name = problem.code in ("extra_forbidden", "missing")
    owner = _field_name(problem.pointer.rpartition("/")[0]) if says_name else name
    message = f"{owner}: {problem.message}" if owner else problem.message
    return FileProblem(at.file, at.line, at.column, problem.pointer, problem.code, message)


def _field_name(pointer: str) -> str:
    """``/sessions/2/rpe`` as ``sessions[2].rpe``."""
    name = ""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        part = part if len(part) <= 60 else part[:59] + "…"
        name += f"[{part}]" if part.isdigit() and name else f".{part}" if name else part
    return name
