"""How a batch begins: it takes its athletes' turns and looks up what was taken before; on PostgreSQL in one round trip.

A round trip costs a busy service more than the statement does: whoever runs meanwhile has to give way first.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from shared.bus.delivery.inbox import Identity, InboxEntry
from shared.bus.delivery.store import DeliveryStore
from shared.db.bulk import as_array
from shared.db.locks import LOCK_SQL, lock_keys
from shared.db.row_security import ACT_SQL, acts_for


def open_batch(
    db: Session, store: DeliveryStore, service: str, athletes: Iterable[tuple[str, str | None]], ids: Iterable[Identity]
) -> dict[Identity, list[InboxEntry]]:
    """Inbox rows of ``ids``, read when this transaction alone handles ``athletes`` (tenant, athlete).

    ``db``: fresh from ``Database.batch``; its transaction begins here.

    Where all are one tenant's, ``db`` acts for that tenant from here on.
    """
    wanted, pairs = list(dict.fromkeys(ids)), set(athletes)
    if db.get_bind().dialect.name != "postgresql":
        return store.inbox.find(db, wanted)
    tenants = {tenant for tenant, _ in wanted} | {tenant for tenant, _ in pairs}
    acting = tenants.pop() if len(tenants) == 1 else ""
    # The server runs one statement after the other, so what is read is as of when the locks were had.
    rows = db.connection().exec_driver_sql(
        ACT_SQL + LOCK_SQL + store.inbox.FIND_SQL,
        {
            "acting": acting,
            **lock_keys(service, pairs),
            "tenants": as_array([tenant for tenant, _ in wanted]),
            "ids": as_array([message_id for _, message_id in wanted]),
        },
    )
    acts_for(db, acting)
    return store.inbox.from_sql(rows)
