"""Bare kombu and DB-API: batches of 500, one transaction, pipelined confirms, one acknowledgement. No inbox, no outbox.

The least that this work can cost in Python with this client: no framework, no guarantee beyond at-least-once.
"""

import signal
import sqlite3
from typing import Any
from uuid import uuid4

import amqp
import psycopg2
import psycopg2.extras
from kombu import Connection
from pydantic import ValidationError

from benchmarks.bus import work

BATCH, PREFETCH, WAIT_S = 500, 1000, 0.005
SETTINGS = f"batch {BATCH} or {WAIT_S * 1000:g} ms, prefetch {PREFETCH}, pipelined confirms, ack multiple"

_UPSERT_ALL = f"INSERT INTO session ({', '.join(work.COLUMNS)}) VALUES %s {work.ON_CONFLICT}"


class Consumer:
    def __init__(self) -> None:
        self._stopping = False
        self._waiting: list[amqp.Message] = []
        self._unconfirmed: set[int] = set()
        self._published = 0
        path = work.sqlite_path()
        self._sqlite: Any = sqlite3.connect(path, isolation_level=None) if path else None
        self._postgres: Any = None if path else psycopg2.connect(work.database())
        if self._sqlite is not None:
            for pragma in work.SQLITE_PRAGMAS:
                self._sqlite.execute(f"PRAGMA {pragma}")

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        with Connection(work.amqp_uri()) as taking, Connection(work.amqp_uri()) as giving:
            channel = taking.channel()
            channel.auto_decode = False
            channel.basic_qos(0, PREFETCH, False)
            channel.basic_consume(work.QUEUE, no_ack=False, callback=self._waiting.append)
            self._out = giving.channel()
            self._out.confirm_select()
            self._out.events["basic_ack"].add(self._confirmed)
            while not self._stopping:
                try:
                    taking.drain_events(timeout=WAIT_S if self._waiting else 0.2)
                except TimeoutError:
                    self._settle(channel, giving)
                else:
                    if len(self._waiting) >= BATCH:
                        self._settle(channel, giving)

    def _settle(self, channel: Any, giving: Any) -> None:
        if not self._waiting:
            return
        batch = self._waiting[:]
        self._waiting.clear()
        rows, events = [], []
        for message in batch:
            body = message.body
            try:
                record = work.Record.model_validate_json(body)
            except ValidationError:
                continue  # acknowledged with the rest; nothing tells the sender
            rows.append(work.row_of(record))
            events.append(work.event_of(record))
        self._store(rows)
        for event in events:
            self._published += 1
            self._unconfirmed.add(self._published)
            message = amqp.Message(
                work.json.dumps(event).encode(),
                content_type="application/json",
                delivery_mode=2,
                application_headers=work.event_headers(uuid4().hex),
            )
            self._out.basic_publish(message, exchange=work.EVENTS, routing_key=work.EVENT_KEY)
        while self._unconfirmed:
            giving.drain_events()
        channel.basic_ack(batch[-1].delivery_tag, multiple=True)

    def _store(self, rows: list[tuple[Any, ...]]) -> None:
        if self._sqlite is not None:
            self._sqlite.execute("BEGIN IMMEDIATE")
            self._sqlite.executemany(work.upsert_sql("?"), rows)
            self._sqlite.execute("COMMIT")
        else:
            with self._postgres, self._postgres.cursor() as cursor:
                psycopg2.extras.execute_values(cursor, _UPSERT_ALL, work.newest(rows), page_size=BATCH)

    def _confirmed(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {waiting for waiting in self._unconfirmed if waiting > tag}
        else:
            self._unconfirmed.discard(tag)

    def _stop(self, *_: object) -> None:
        self._stopping = True


if __name__ == "__main__":
    work.run_or_tell(SETTINGS, lambda: Consumer().run())
