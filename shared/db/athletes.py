"""What every store does with athletes: hold their rows while their messages are taken, know who was erased."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.inserts import insert_into


def locked_rows(
    db: Session, table: Any, tenant: str, athletes: Iterable[str], new: Mapping[str, Any]
) -> dict[str, Any]:
    """The athletes' rows by name, made from ``new`` where missing, and held until the transaction ends: two replicas
    that both took a message about one athlete take turns, so neither assesses without the other's."""
    names = sorted(set(athletes))
    found = _rows(db, table, tenant, names)
    missing = [name for name in names if name not in found]
    if missing:
        made = [{"tenant": tenant, "athlete": name, **new} for name in missing]
        db.execute(insert_into(db, table.__table__).on_conflict_do_nothing(), made)
        found |= _rows(db, table, tenant, missing)
    return found


def _rows(db: Session, table: Any, tenant: str, names: list[str]) -> dict[str, Any]:
    query = select(table).where(table.tenant == tenant, table.athlete.in_(names)).order_by(table.athlete)
    return {row.athlete: row for row in db.scalars(query.with_for_update())}


def erased_at(db: Session, table: Any, tenant: str, athletes: Iterable[str]) -> dict[str, datetime]:
    """When each of ``athletes`` was erased; those who never were are not in it."""
    by_digest = {digest(tenant, name): name for name in athletes}
    query = select(table.athlete_digest, table.erased_at)
    query = query.where(table.tenant == tenant, table.athlete_digest.in_(list(by_digest)))
    return {by_digest[found]: at for found, at in db.execute(query)}


def digest(tenant: str, athlete: str) -> str:
    """By which an erased athlete is known: that somebody was erased stays, who it was does not."""
    return sha256(f"{tenant}/{athlete}".encode()).hexdigest()
