"""Looks into pydantic models: which models may stand at a place in a document, and which names they take."""

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


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
