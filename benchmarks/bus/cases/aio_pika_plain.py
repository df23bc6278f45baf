"""aio-pika: a robust connection, ``queue.consume`` with a callback per message, confirms on (its default)."""

import asyncio
import json
import signal
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from pydantic import ValidationError

from benchmarks.bus import work
from benchmarks.bus.async_database import open_store

PREFETCH = 100
SETTINGS = f"connect_robust, prefetch {PREFETCH}, message.process(), confirms (default), aiosqlite / asyncpg pool of 10"


async def main() -> None:
    store = await open_store()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    connection = await aio_pika.connect_robust(work.amqp_uri())
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(work.QUEUE, ensure=False)
        events = await (await connection.channel()).get_exchange(work.EVENTS, ensure=False)

        async def take(message: AbstractIncomingMessage) -> None:
            async with message.process():  # acknowledged at the end, rejected when an error passes
                try:
                    record = work.Record.model_validate_json(message.body)
                except ValidationError:
                    return
                await store.upsert(record)
                event = aio_pika.Message(
                    json.dumps(work.event_of(record)).encode(),
                    headers=work.event_headers(uuid4().hex),  # type: ignore[arg-type]
                    content_type="application/json",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                )
                await events.publish(event, work.EVENT_KEY)

        await queue.consume(take)
        await stop.wait()


if __name__ == "__main__":
    work.run_or_tell(SETTINGS, lambda: asyncio.run(main()))
