"""Which of several messages about one thing counts, in whatever order they come."""

from datetime import datetime

from sqlalchemy import inspect
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.db.tables import MessageId

Version = tuple[datetime, str]
"""ce-time and ce-id of a message: the later one wins, on a tie the one with the greater id."""


class Versioned:
    """A row that messages write, with the version of the one that counts."""

    version_time: Mapped[datetime] = mapped_column("told_at")
    version_id: Mapped[str] = mapped_column("told_id", MessageId)

    @property
    def version(self) -> Version:
        return self.version_time, self.version_id

    @version.setter
    def version(self, version: Version) -> None:
        self.version_time, self.version_id = version


def upsert_newer(db: Session, row: Versioned) -> Version | None:
    """Writes ``row``, as far as it says anything, unless a version at least as new is stored: then returns that."""
    stored = db.get(type(row), inspect(row, raiseerr=True).mapper.primary_key_from_instance(row))
    if stored is not None and stored.version >= row.version:
        return stored.version
    if stored is None:
        db.add(row)
    else:
        db.merge(row)
    db.flush()
    return None


def stands(version: Version, at: datetime | None, by: str | None) -> Version | None:
    """What a message ``by`` wrote ``at``, unless ``version`` is newer."""
    return None if at is None or is_newer(version, at, by) else (at, by or "")


def is_newer(version: Version, at: datetime | None, by: str | None) -> bool:
    """Than what a message ``by`` wrote ``at``; of what nobody wrote every version is."""
    return at is None or version > (at, by or "")
