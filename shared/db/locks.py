"""One athlete's messages take turns, over all green threads and replicas of a service.

What is derived (a day's readiness, a week) is recomputed from what is stored. Two transactions that run at the same
time would each recompute without the other's row; so each first takes the locks of its athletes, always in the same
order. On SQLite a transaction is alone anyway.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db.bulk import as_array

_ALONE = text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k")

LOCK_SQL = """
SELECT pg_advisory_xact_lock_shared(k) FROM unnest(CAST(%(tenant_keys)s AS bigint[])) AS k;
SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(%(athlete_keys)s AS bigint[])) AS k;
"""
"""PostgreSQL: waits until this transaction alone handles these athletes, which it then does until it ends."""


def lock_keys(service: str, athletes: Iterable[tuple[str, str | None]]) -> dict[str, Any]:
    """The parameters of LOCK_SQL for these (tenant, athlete)."""
    pairs = set(athletes)
    return {
        "tenant_keys": as_array(sorted({_key(service, tenant) for tenant, _ in pairs})),
        "athlete_keys": as_array(
            sorted(_key(service, tenant, athlete) for tenant, athlete in pairs if athlete is not None)
        ),
    }


def lock_tenant(db: Session, service: str, tenant: str) -> None:
    """Waits until this transaction alone handles the whole tenant, as periodic work does; held until it ends."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(_ALONE, {"keys": [_key(service, tenant)]})


def lock_athletes(db: Session, service: str, tenant: str, athletes: Iterable[str]) -> None:
    """Waits until this transaction alone handles these athletes; held until it ends. On SQLite it is alone anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.connection().exec_driver_sql(LOCK_SQL, lock_keys(service, ((tenant, athlete) for athlete in athletes)))


def _key(*names: str) -> int:
    """Advisory locks are numbers of 64 bits. Two names with the same number only wait for each other needlessly."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
