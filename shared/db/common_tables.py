"""What every service's tables begin with: those of delivery and of rule packs."""

from sqlalchemy import MetaData

from shared.db.delivery_tables import InboxRow, OutboxRow, ParkedAuditRow, TenantRow
from shared.db.rule_tables import RULE_TABLES
from shared.db.tables import named_metadata, table_of


def service_metadata() -> MetaData:
    """For one service's declarative base, with the common tables in it."""
    return add_common_tables(named_metadata())


def add_common_tables(metadata: MetaData) -> MetaData:
    for row in (InboxRow, OutboxRow, TenantRow, ParkedAuditRow, *RULE_TABLES):
        table_of(row).to_metadata(metadata)
    return metadata
