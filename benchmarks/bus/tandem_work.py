"""The work as a Tandem handler."""

from sqlalchemy import text

from benchmarks.bus import work
from shared.bus.handling import Accepted, Context, Incoming, Route
from shared.db import delivery_tables

_UPSERT = text(work.upsert_sql(":"))

delivery_tables.of(work.metadata)


def record(context: Context, incoming: Incoming[work.Record]) -> Accepted:
    body = incoming.body
    context.db.execute(_UPSERT, dict(zip(work.COLUMNS, work.row_of(body), strict=True)))
    context.emit("recorded", work.event_of(body), body.athlete)
    return Accepted()


ROUTES = (Route("command", work.KEY, work.Record, record),)
