"""PostgreSQL's row-level security: the second wall behind the tenant that every query names itself.

A transaction that acts for a tenant (``act_for``) sees and writes that tenant's rows only, whatever its SQL says. One
that acts for nobody sees no state at all; only the tables of delivery and of rule packs, which belong to the service's
own machinery (the relay publishes everybody's outbox), are open to it. It binds a role that does not own the tables.
"""

from collections.abc import Iterable
from typing import Any

import psycopg2.extensions
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

_SETTING = "tandem.tenant"
_ACTING = "tandem_acts_for"
ACT_SQL = f"SELECT set_config('{_SETTING}', %(acting)s, true);"
"""What ``act_for`` says to the server, for whoever says more at once; ``acts_for`` must then be told."""

_POLICY = "one_tenant"
_ACTS_FOR = f"coalesce(current_setting('{_SETTING}', true), '')"
_OWN_ROWS = f"tenant = {_ACTS_FOR}"
_MACHINERY_ROWS = f"{_ACTS_FOR} IN (tenant, '') OR tenant = ''"
_MACHINERY = ("inbox", "outbox", "tenants", "parked_audit")
_MACHINERY_PREFIX = "rule_"


def act_for(db: Session, tenant: str | None) -> None:
    """From here to the end of the transaction, or to the next call, ``db`` works on this tenant's rows alone.

    What the session still holds is written first, for it belongs to the tenant before. None: for nobody.
    """
    if db.get_bind().dialect.name != "postgresql":
        return
    wanted = tenant or ""
    if db.info.get(_ACTING, "") == wanted:
        return
    db.flush()
    db.connection().exec_driver_sql(ACT_SQL, {"acting": wanted})
    acts_for(db, wanted)


def acts_for(db: Session, tenant: str) -> None:
    """Notes that the server was told (``ACT_SQL``) whose rows this transaction works on; empty: nobody's."""
    db.info[_ACTING] = tenant


def may_write(db: Session, tenants: Iterable[str]) -> bool:
    """Whether rows of the delivery tables of all these tenants can be written as things stand."""
    return db.info.get(_ACTING, "") == "" or set(tenants) <= {db.info[_ACTING], ""}


def secure(connection: Connection, schema: str, service_role: URL | None = None) -> None:
    """Puts a policy on every table of ``schema`` that has a tenant; idempotent, and a no-op on SQLite.

    ``service_role``: the address services use, when that is not the owner's. Its role is made if there is none, and
    gets what a service needs: rows, no tables.
    """
    if connection.dialect.name != "postgresql":
        return
    with_tenant = connection.execute(
        text(
            "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name)"
            " WHERE table_schema = :schema AND column_name = 'tenant' AND table_type = 'BASE TABLE'"
        ),
        {"schema": schema},
    ).scalars()
    for table in sorted(with_tenant):
        condition = _MACHINERY_ROWS if _is_machinery(table) else _OWN_ROWS
        name = f'"{schema}"."{table}"'
        connection.execute(text(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
        connection.execute(text(f"DROP POLICY IF EXISTS {_POLICY} ON {name}"))
        connection.execute(text(f"CREATE POLICY {_POLICY} ON {name} USING ({condition}) WITH CHECK ({condition})"))
    if service_role is not None and service_role.username:
        _admit(connection, schema, service_role)


def is_bound(connection: Connection, schema: str) -> bool:
    """Whether the policies bind this connection's role: neither a superuser nor the tables' owner is bound."""
    return all(
        connection.execute(
            text(
                "SELECT row_security_active(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped"
                " WHERE n.nspname = :schema AND c.relkind = 'r'"
            ),
            {"schema": schema},
        ).scalars()
    )


def _is_machinery(table: str) -> bool:
    return table in _MACHINERY or table.startswith(_MACHINERY_PREFIX)


def _admit(connection: Connection, schema: str, service_role: URL) -> None:
    name = str(service_role.username)
    role = '"' + name.replace('"', '""') + '"'
    known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first()
    if known is None:
        connection.exec_driver_sql(
            f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
            + _password_clause(connection, service_role)
        )
    connection.exec_driver_sql(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
    connection.exec_driver_sql(f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema}" TO {role}')
    connection.exec_driver_sql(f'REVOKE INSERT, UPDATE, DELETE ON "{schema}".alembic_version FROM {role}')


def _password_clause(connection: Connection, service_role: URL) -> str:
    if service_role.password is None:
        return ""
    # Hashed here: a password in a statement would stand in the server's log.
    driver: Any = connection.connection.driver_connection
    secret = psycopg2.extensions.encrypt_password(
        str(service_role.password), str(service_role.username), driver, "scram-sha-256"
    )
    return f" PASSWORD '{secret}'"
