"""The work as a Tandem handler."""

from collections.abc import Sequence

from sqlalchemy import text

from benchmarks.bus import work
from shared.bus.handling import Accepted, Context, Incoming, Rejected, Route
from shared.db import delivery_tables

_UPSERT = text(work.upsert_sql(":"))

delivery_tables.of(work.metadata)


def record(context: Context, incoming: Incoming[work.Record]) -> Accepted:
    body = incoming.body
    context.db.execute(_UPSERT, dict(zip(work.COLUMNS, work.row_of(body), strict=True)))
    context.emit("recorded", work.event_of(body), body.athlete)
    return Accepted()


def record_many(calls: Sequence[tuple[Context, Incoming[work.Record]]]) -> list[Accepted | Rejected]:
    rows = [dict(zip(work.COLUMNS, work.row_of(incoming.body), strict=True)) for _, incoming in calls]
    calls[0][0].db.execute(_UPSERT, rows)
    for context, incoming in calls:
        context.emit("recorded", work.event_of(incoming.body), incoming.body.athlete)
    return [Accepted()] * len(calls)


ROUTES = (Route("command", work.KEY, work.Record, record, handle_many=record_many),)
