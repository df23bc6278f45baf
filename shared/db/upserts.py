"""INSERT … ON CONFLICT as both databases know it: SQLAlchemy keeps it with the dialects, which spell it alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.db.tables import table_of


def insert_missing(db: Session, row: type[Any], values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Inserts one row or several of ``row``'s table; those that are there stay as they are."""
    db.execute(_insert(db, row).on_conflict_do_nothing(), values)


def upsert(db: Session, row: type[Any], values: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    """Inserts a row with ``values``; in the one that is there under the same primary key, ``changed`` changes."""
    insert = _insert(db, row)
    db.execute(insert.on_conflict_do_update(index_elements=table_of(row).primary_key, set_=changed), values)


def _insert(db: Session, row: type[Any]) -> postgresql.Insert | sqlite.Insert:
    table = table_of(row)
    return postgresql.insert(table) if db.get_bind().dialect.name == "postgresql" else sqlite.insert(table)
