"""One athlete's messages take turns, over all green threads and replicas of a service.

What is derived (a day's readiness, a week) is recomputed from what is stored. Two transactions that run at the same
time would each recompute without the other's row; so each first takes the locks of its athletes, always in the same
order. On SQLite a transaction is alone anyway.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

_SHARED = text("SELECT pg_advisory_xact_lock_shared(k) FROM unnest(CAST(:keys AS bigint[])) AS k")
_ALONE = text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k")


def take_turn(db: Session, service: str, athletes: Iterable[tuple[str, str | None]]) -> None:
    """Waits until this transaction alone handles these (tenant, athlete); held until it ends."""
    if db.get_bind().dialect.name != "postgresql":
        return
    pairs = set(athletes)
    _lock(db, _SHARED, {_key(service, tenant) for tenant, _ in pairs})
    _lock(db, _ALONE, {_key(service, tenant, athlete) for tenant, athlete in pairs if athlete is not None})


def take_tenant(db: Session, service: str, tenant: str) -> None:
    """Waits until this transaction alone handles the whole tenant, as periodic work does; held until it ends."""
    if db.get_bind().dialect.name == "postgresql":
        _lock(db, _ALONE, {_key(service, tenant)})


def _lock(db: Session, statement: TextClause, keys: set[int]) -> None:
    if keys:
        db.execute(statement, {"keys": sorted(keys)})


def _key(*names: str) -> int:
    """Advisory locks are numbers of 64 bits. Two names with the same number only wait for each other needlessly."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
