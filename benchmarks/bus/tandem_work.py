"""The work as a Tandem handler."""

from collections.abc import Sequence

from benchmarks.bus import work
from shared.bus.routes import APPLIED, Accepted, Context, Incoming, Rejected, Route
from shared.db.bulk import Rows, as_arrays, insert_sql
from shared.db.common_tables import add_common_tables

_UPSERT_ALL = f"{insert_sql(work.sessions, work.COLUMNS)} {work.ON_CONFLICT}"

add_common_tables(work.metadata)


def record(context: Context, incoming: Incoming[work.Record]) -> Accepted | Rejected:
    return record_many([(context, incoming)])[0]


def record_many(calls: Sequence[tuple[Context, Incoming[work.Record]]]) -> list[Accepted | Rejected]:
    db = calls[0][0].db
    rows = work.newest(work.row_of(incoming.body) for _, incoming in calls)
    connection = db.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_UPSERT_ALL, tuple(as_arrays(Rows(work.sessions, work.COLUMNS, rows))))
    else:
        connection.exec_driver_sql(work.upsert_sql("?"), rows)
    for context, incoming in calls:
        context.emit("recorded", work.event_of(incoming.body), incoming.body.athlete)
    return [Accepted(APPLIED)] * len(calls)


ROUTES = (Route("command", work.KEY, work.Record, record, handle_many=record_many),)
