"""The upsert for the asyncio cases: aiosqlite, one connection that takes turns; asyncpg, a pool of ten."""

import asyncio
from typing import Protocol

import aiosqlite
import asyncpg

from benchmarks.bus import work


class Store(Protocol):
    async def upsert(self, record: work.Record) -> None: ...


class SqliteStore:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()  # SQLite has one writer

    async def upsert(self, record: work.Record) -> None:
        async with self._turn:
            await self._connection.execute(work.upsert_sql("?"), work.row_of(record))
            await self._connection.commit()


class PostgresStore:
    def __init__(self, pool: "asyncpg.Pool") -> None:
        self._pool = pool

    async def upsert(self, record: work.Record) -> None:
        await self._pool.execute(work.upsert_sql("$"), *work.row_of(record))


async def open_store() -> Store:
    path = work.sqlite_path()
    if path is None:
        return PostgresStore(await asyncpg.create_pool(work.database(), min_size=10, max_size=10))
    connection = await aiosqlite.connect(path)
    for pragma in work.SQLITE_PRAGMAS:
        await connection.execute(f"PRAGMA {pragma}")
    return SqliteStore(connection)
