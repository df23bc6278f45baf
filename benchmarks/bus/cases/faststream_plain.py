"""FastStream: a subscriber with a pydantic argument and a publisher, run by ``FastStream(broker).run()``."""

import asyncio
import logging
from typing import Annotated
from uuid import uuid4

from faststream import Context, FastStream
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from benchmarks.bus import work
from benchmarks.bus.async_database import Store, open_store

PREFETCH = 100
SETTINGS = (
    f"default Channel(prefetch_count={PREFETCH}), pydantic argument, confirms (default), aiosqlite / asyncpg pool of 10"
)

broker = RabbitBroker(work.amqp_uri(), default_channel=Channel(prefetch_count=PREFETCH), logger=None)
app = FastStream(broker, logger=None)
events = RabbitExchange(work.EVENTS, type=ExchangeType.TOPIC, durable=True, declare=False)
recorded = broker.publisher(exchange=events, routing_key=work.EVENT_KEY, persist=True)


@app.on_startup
async def open_database() -> None:
    app.context.set_global("store", await open_store())


@broker.subscriber(RabbitQueue(work.QUEUE, declare=False))
async def take(record: work.Record, message: RabbitMessage, store: Annotated[Store, Context()]) -> None:
    await store.upsert(record)
    await recorded.publish(work.event_of(record), headers=work.event_headers(uuid4().hex))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # it logs a traceback per refused message, which nobody else pays for
    work.run_or_tell(SETTINGS, lambda: asyncio.run(app.run()))
