"""How a batch begins: it takes its athletes' turns and looks up what was taken before; on PostgreSQL in one round trip.

A round trip costs a busy service more than the statement does: whoever runs meanwhile has to give way first.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from shared.bus.delivery.ledger import Ledger, Taken
from shared.db.arrays import as_array
from shared.db.batches import BEGIN
from shared.db.locks import TURN_SQL, turn_keys
from shared.db.row_security import ACT_SQL, acts_for

Identity = tuple[str, str]
"""(tenant, message id)."""


def open_batch(
    db: Session, ledger: Ledger, service: str, athletes: Iterable[tuple[str, str | None]], ids: Iterable[Identity]
) -> dict[Identity, list[Taken]]:
    """Inbox rows of ``ids``, read when this transaction alone handles ``athletes`` (tenant, athlete).

    ``db``: fresh from ``Database.batch``; its transaction begins here.

    Where all are one tenant's, ``db`` acts for that tenant from here on.
    """
    wanted, pairs = list(dict.fromkeys(ids)), set(athletes)
    if db.get_bind().dialect.name != "postgresql":
        return ledger.taken(db, wanted)
    tenants = {tenant for tenant, _ in wanted} | {tenant for tenant, _ in pairs}
    acting = tenants.pop() if len(tenants) == 1 else ""
    # The server runs one statement after the other, so what is read is as of when the locks were had.
    found = db.connection().exec_driver_sql(
        BEGIN + ACT_SQL + TURN_SQL + ledger.TAKEN_SQL,
        {
            "acting": acting,
            **turn_keys(service, pairs),
            "tenants": as_array([tenant for tenant, _ in wanted]),
            "ids": as_array([message_id for _, message_id in wanted]),
        },
    )
    acts_for(db, acting)
    return ledger.as_taken(found)
