"""Explained rules as lines of text: what each rule is, what settled it, the way out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any


def show(explained: Mapping[str, Any]) -> Iterator[str]:
    """One rule's answer."""
    watched = ", only counted" if explained["mode"] == "watch" else ""
    yield f"{explained['answer']:<8}{explained['rule']} ({explained['severity']}{watched}): {explained['title']}"
    nearest = "nearest miss: " if explained["answer"] == "silent" and explained["nearest_miss"] else ""
    yield f"        {nearest}{explained['about']}: {explained['why']}"
    way_out = explained["nearest_legal_start"]
    if way_out:
        yield f"        nearest legal start: {way_out['session']} on {_clock(way_out['start'])}"


def show_one(explained: Sequence[Mapping[str, Any]], not_asked: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What there is to say about one rule."""
    for one in explained:
        yield from show(one)
    for one in not_asked:
        yield f"not asked: {one['reason']}"


def show_all(explained: Sequence[Mapping[str, Any]], not_asked: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Pack after pack; the rules that nobody can answer come last, a line each, then what was not asked."""
    for pack in dict.fromkeys(one["pack"] for one in (*explained, *not_asked)):
        yield pack
        of_pack = [one for one in explained if one["pack"] == pack]
        for one in of_pack:
            if one["answer"] != "unknown":
                yield from (f"  {line}" for line in show(one))
        for one in of_pack:
            if one["answer"] == "unknown":
                yield f"  unknown {one['rule']} ({one['severity']}): {one['why']}"
        for one in not_asked:
            if one["pack"] == pack:
                number = len(one["rules"])
                yield f"  {number} rule{'s were' if number > 1 else ' was'} not asked: {one['reason']}"


def _clock(start: str) -> str:
    return f"{datetime.fromisoformat(start):%a %d %b %H:%M}"
