"""INSERT as both databases know it: SQLAlchemy keeps ON CONFLICT with the dialects, which spell it alike."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.db.tables import table_of


def insert_into(db: Session, row: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT for ``db``'s database, which may be followed by ``on_conflict_do_nothing`` or ``…_do_update``."""
    table = table_of(row)
    return postgresql.insert(table) if db.get_bind().dialect.name == "postgresql" else sqlite.insert(table)
