"""When an erase was taken by the service's own clock: the ce-time is that of whoever sent it."""

from shared.db import migration_steps

revision = "0007"
down_revision = "0006"

upgrade = migration_steps.add_when_erase_was_taken
downgrade = migration_steps.drop_when_erase_was_taken
