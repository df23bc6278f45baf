"""Who replayed or dropped which parked message."""

from alembic import op
from sqlalchemy import PrimaryKeyConstraint

from shared.db.delivery_tables import PARKED_AUDIT, parked_audit_columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(PARKED_AUDIT, *parked_audit_columns(), PrimaryKeyConstraint("tenant", "id", name="pk_parked_audit"))


def downgrade() -> None:
    op.drop_table(PARKED_AUDIT)
