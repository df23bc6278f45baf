"""All that is held of one athlete as one JSON document, written piece by piece: no more than one row is in memory."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.contract.words import SERVICES
from tandem.athlete_data.stored import StoredData
from tandem.athlete_data.waiting import MAX_MESSAGES_LOOKED_AT, WaitingMessages, queues_of

FORMAT = "tandem-athlete-export/1"


def document(
    tenant: str, athlete: str, at: datetime, stored: StoredData, waiting: WaitingMessages | None
) -> Iterator[str]:
    """The document's text in pieces. ``waiting``: None leaves the queues out, and the document says so.

    Same data, same text, but for ``exported_at``: services and queues in their own order, rows by their keys.
    """
    head = {"format": FORMAT, "tenant": tenant, "athlete": athlete, "exported_at": at.astimezone(UTC).isoformat()}
    yield "{\n" + "".join(f" {_text(name)}: {_text(value)},\n" for name, value in head.items())
    yield ' "services": {'
    for number, service in enumerate(SERVICES):
        yield f"{',' if number else ''}\n  {_text(service)}: {{"
        for place, (part, rows) in enumerate(stored.parts(service)):
            yield f"{',' if place else ''}\n   {_text(part.table.name)}: "
            yield from _listed({"about": part.about}, "rows", rows)
        yield "\n  }"
    yield '\n },\n "queues": '
    if waiting is None:
        yield "null"
    else:
        yield "{"
        queues = [queue for service in SERVICES for queue in queues_of(service).items()]
        for number, (queue, about) in enumerate(queues):
            count, messages = waiting.look(queue)
            said = {"about": about, "waiting": count, "looked_into": count <= MAX_MESSAGES_LOOKED_AT}
            yield f"{',' if number else ''}\n  {_text(queue)}: "
            yield from _listed(said, "messages", messages)
        yield "\n }"
    yield "\n}\n"


def _listed(head: Mapping[str, Any], name: str, items: Iterable[Any]) -> Iterator[str]:
    yield _text(head)[:-1] + f", {_text(name)}: ["
    empty = True
    for item in items:
        yield f"{'' if empty else ','}\n    {_text(item)}"
        empty = False
    yield "]}" if empty else "\n   ]}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
