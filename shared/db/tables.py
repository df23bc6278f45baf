"""Where a service's tables begin: its own declarative base, and column types that mean the same on both databases."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import JSON, DateTime, MetaData, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, stored in UTC. A naive datetime is refused, never guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset; only an aware time can be stored")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Tenant = String(40)
MessageId = String(128)
AthleteId = String(128)

COLUMN_TYPES: Mapping[Any, TypeEngine[Any]] = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}
"""What a column's annotation means, for ``type_annotation_map``."""


def named_metadata() -> MetaData:
    """For one service's tables, with named constraints: alembic needs the names."""
    return MetaData(naming_convention=_NAMES)


class AthleteKey:
    """The columns that tables of athletes' rows begin with."""

    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True, sort_order=-2)
    athlete: Mapped[str] = mapped_column(AthleteId, primary_key=True, sort_order=-1)


class CommonTables(DeclarativeBase):
    """Tables that every service holds the same: described once, and copied into each service's ``MetaData``."""

    metadata = named_metadata()
    type_annotation_map = COLUMN_TYPES


def table_of(row: type[Any]) -> Table:
    """The table behind a mapped class, for SQL that the ORM has no part in."""
    return cast(Table, row.__table__)
