"""What every store does with athletes: hold their rows while their messages are taken, know who was erased."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.inserts import insert_into
from shared.db.tables import AthleteKey

Row = TypeVar("Row", bound=AthleteKey)


def locked_rows(
    db: Session, row: type[Row], tenant: str, athletes: Iterable[str], new: Mapping[str, Any]
) -> dict[str, Row]:
    """The athletes' rows by name, made from ``new`` where missing, and held until the transaction ends: two replicas
    that both took a message about one athlete take turns, so neither assesses without the other's."""
    names = sorted(set(athletes))
    found = _rows(db, row, tenant, names)
    missing = [name for name in names if name not in found]
    if missing:
        made = [{"tenant": tenant, "athlete": name, **new} for name in missing]
        db.execute(insert_into(db, row).on_conflict_do_nothing(), made)
        found |= _rows(db, row, tenant, missing)
    return found


def _rows(db: Session, row: type[Row], tenant: str, names: list[str]) -> dict[str, Row]:
    query = select(row).where(row.tenant == tenant, row.athlete.in_(names)).order_by(row.athlete)
    return {found.athlete: found for found in db.scalars(query.with_for_update())}


def erased_at(db: Session, table: Any, tenant: str, athletes: Iterable[str]) -> dict[str, datetime]:
    """When each of ``athletes`` was erased; those who never were are not in it."""
    by_digest = {digest(tenant, name): name for name in athletes}
    query = select(table.athlete_digest, table.erased_at)
    query = query.where(table.tenant == tenant, table.athlete_digest.in_(list(by_digest)))
    return {by_digest[found]: at for found, at in db.execute(query)}


def digest(tenant: str, athlete: str) -> str:
    """By which an erased athlete is known: that somebody was erased stays, who it was does not."""
    return sha256(f"{tenant}/{athlete}".encode()).hexdigest()
