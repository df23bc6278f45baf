"""Says what is wrong with an input, all of it at once: where, what is allowed there, and the nearest right word.

Used by the bus (JSON pointers in a rejection) and by the ``tandem`` command (pointers turned into file:line:column).
"""

import difflib
import math
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from shared.messages.ids import ID_PATTERN


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``pointer`` is an RFC 6901 JSON pointer into the document (``""`` is the whole of it)."""

    pointer: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "message": self.message}


class InvalidInput(ValueError):
    """The input is wrong; carries every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(f"{p.pointer or '/'}: {p.message}" for p in self.problems))


def field_names(model: type[BaseModel]) -> tuple[str, ...]:
    """The names a document may write: the alias where a field has one."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def models_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[type[BaseModel], ...]:
    """Every model that may stand at ``path`` below ``model`` (several where the annotation is a union)."""
    places: list[Any] = [model]
    for part in path:
        places = [inner for place in places for inner in _step(place, part)]
    return tuple(place for place in places if isinstance(place, type) and issubclass(place, BaseModel))


def _step(place: Any, part: str | int) -> list[Any]:
    if isinstance(place, type) and issubclass(place, BaseModel):
        for name, field in place.model_fields.items():
            if part in (field.alias or name, name):
                return _alternatives(field.annotation)
        return []
    origin, arguments = get_origin(place), get_args(place)
    if not isinstance(origin, type) or not arguments:
        return []
    if issubclass(origin, Mapping):
        return _alternatives(arguments[1])
    if issubclass(origin, Sequence):
        return _alternatives(arguments[0])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    """The members of a union, unwrapped from ``Annotated``; ``None`` left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [inner for member in get_args(annotation) for inner in _alternatives(member)]
    return [] if annotation is type(None) else [annotation]


Model = TypeVar("Model", bound=BaseModel)

MAX_PROBLEMS = 200
"""More than anybody reads; a rejection has to stay well below the message size limit."""

_LONGEST_QUOTE = 60

_FIXED_MESSAGES = {
    "missing": "'{field}' is required",
    "finite_number": "a number must be finite, not NaN or infinite",
    "bool_type": "write true or false, not {got}",
    "float_type": "write a number, not {got}",
    "int_type": "write a whole number, not {got}",
    "int_from_float": "write a whole number, not {got}",
    "string_type": "write text, not {got}",
    "list_type": "write a list, not {got}",
    "dict_type": "write an object with names and values, not {got}",
    "model_type": "write an object with names and values, not {got}",
    "model_attributes_type": "write an object with names and values, not {got}",
    "none_required": "leave this out, not {got}",
    "greater_than": "must be greater than {gt}, not {got}",
    "greater_than_equal": "must be at least {ge}, not {got}",
    "less_than": "must be less than {lt}, not {got}",
    "less_than_equal": "must be at most {le}, not {got}",
    "string_too_long": "at most {max_length} characters are allowed",
    "string_too_short": "at least {min_length} characters are needed",
    "too_long": "at most {max_length} entries are allowed, not {actual_length}",
    "too_short": "at least {min_length} entries are needed, not {actual_length}",
}

_PATTERN_MEANINGS = {
    f"^{ID_PATTERN}$": "an id is 1 to 128 characters of A-Z a-z 0-9 _ . : -, not {got}",
}


def parse(model: type[Model], data: Any) -> Model:
    """``data`` (plain JSON values) as ``model``; raises InvalidInput with every problem found."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(problems_of(error, model, data)) from None


def problems_of(error: ValidationError, model: type[BaseModel], data: Any = None) -> list[Problem]:
    """Every problem of a pydantic error, in document order of discovery, without repeats.

    ``data`` is what was validated; with it the pointers leave out what only pydantic knows (names of union members).
    At most MAX_PROBLEMS are told; a last one then says how many more there are.
    """
    problems: dict[Problem, None] = {}
    for detail in error.errors(include_url=False):
        path = _path_in(data, detail["loc"]) if data is not None else _without_member_names(detail["loc"])
        if detail["type"] == "extra_forbidden" and path[-1] in _names_allowed(model, path[:-1]):
            continue  # another member of a union takes it
        problems[Problem(pointer(path), detail["type"], _message(dict(detail), path, model))] = None
    found = list(problems)
    if len(found) > MAX_PROBLEMS:
        left = len(found) - MAX_PROBLEMS
        return [*found[:MAX_PROBLEMS], Problem("", "too_many_errors", f"and {left} more like these")]
    return found


def pointer(path: Iterable[str | int]) -> str:
    """RFC 6901 JSON pointer of a path of names and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def nearest_word(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that ``word`` was probably meant to be, or None when nothing is close."""
    by_plain = {_plain(candidate): candidate for candidate in allowed}
    close = difflib.get_close_matches(_plain(word), by_plain, n=1, cutoff=0.6)
    return by_plain[close[0]] if close else None


def did_you_mean(word: str, allowed: Sequence[str]) -> str:
    """``; did you mean 'x'?``, or the list of what is allowed when nothing is close."""
    nearest = nearest_word(word, allowed)
    if nearest is not None:
        return f"; did you mean '{nearest}'?"
    return f"; allowed here: {', '.join(allowed)}" if allowed else ""


def quoted(value: Any) -> str:
    """A value as its author wrote it, short enough for a message."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def _message(detail: dict[str, Any], path: tuple[str | int, ...], model: type[BaseModel]) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    field = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return f"unknown field '{_short(field)}'{did_you_mean(field, _names_allowed(model, path[:-1]))}"
    if kind in ("literal_error", "enum"):
        return _not_one_of(given, str(context["expected"]))
    if kind == "string_pattern_mismatch" and context["pattern"] in _PATTERN_MEANINGS:
        return _PATTERN_MEANINGS[context["pattern"]].format(got=quoted(given))
    if kind == "string_pattern_mismatch":
        return f"{quoted(given)} does not have the form {context['pattern']}"
    if kind in _FIXED_MESSAGES:
        numbers = {name: _number(value) for name, value in context.items()}
        return _FIXED_MESSAGES[kind].format(field=field, got=quoted(given), **numbers)
    return str(detail["msg"])


def _names_allowed(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    return sorted({name for owner in models_at(model, path) for name in field_names(owner)})


def _not_one_of(given: Any, expected: str) -> str:
    words = [part for part in expected.split("'") if part not in ("", ", ", " or ")]
    allowed = ", ".join(words) if words else expected
    message = f"{quoted(given)} is not one of: {allowed}"
    nearest = nearest_word(given, words) if isinstance(given, str) else None
    return f"{message}; did you mean '{nearest}'?" if nearest else message


def _path_in(data: Any, location: Sequence[str | int]) -> tuple[str | int, ...]:
    path: list[str | int] = []
    place = data
    for index, part in enumerate(location):
        in_object = isinstance(place, Mapping) and part in place
        in_list = isinstance(place, list) and isinstance(part, int) and part < len(place)
        if in_object or in_list:
            place = place[part]
        elif index != len(location) - 1 or not isinstance(place, Mapping):
            continue
        path.append(part)
    return tuple(path)


def _without_member_names(location: Sequence[str | int]) -> tuple[str | int, ...]:
    return tuple(part for part in location if isinstance(part, int) or "[" not in part)


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def _short(word: str) -> str:
    return word if len(word) <= _LONGEST_QUOTE else word[: _LONGEST_QUOTE - 1] + "…"


def _number(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, float) else value
