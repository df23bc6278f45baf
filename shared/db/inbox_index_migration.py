"""The inbox's index by athlete, turned round, for each service's migration.

It began with the tenant. Without statistics PostgreSQL then took it for looking up message ids, and read all of a
tenant's rows.
"""

from alembic import op

_INDEX, _TABLE = "ix_inbox_athlete", "inbox"


def begin_with_athlete() -> None:
    _make_anew(["athlete", "tenant"])


def begin_with_tenant() -> None:
    _make_anew(["tenant", "athlete"])


def _make_anew(columns: list[str]) -> None:
    op.drop_index(_INDEX, _TABLE)
    op.create_index(_INDEX, _TABLE, columns)
