"""What every service's store does with athletes: hold their rows while messages are taken, know who was erased."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import ColumnElement, CursorResult, Executable, String, delete, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from shared.db.tables import AthleteKey, MessageId, Tenant
from shared.db.upserts import insert_missing
from shared.db.versions import Version, stands
from shared.messages.values import Profile


class AthleteRow(AthleteKey):
    """An athlete somebody spoke of; the profile is None until ``athlete.put`` arrives."""

    __tablename__ = "athletes"
    profile_json: Mapped[dict[str, Any] | None] = mapped_column("profile")
    put_at: Mapped[datetime | None]
    put_id: Mapped[str | None] = mapped_column(MessageId)
    remembers_more = False
    """Whether a ``put`` that came late said something that counts although a later one stands."""

    @property
    def profile(self) -> Profile | None:
        return None if self.profile_json is None else Profile.model_validate(self.profile_json)

    def put(self, profile: Profile, version: Version) -> Version | None:
        """Keeps the profile if it is the newest; else the version that stands."""
        stored = stands(version, self.put_at, self.put_id)
        if stored is not None:
            return stored
        self.profile_json = profile.model_dump(mode="json", exclude_defaults=True) | {"timezone": profile.timezone}
        self.put_at, self.put_id = version
        return None


class ErasureRow:
    """That somebody was erased, without saying who: a message from before must not bring the person back.
    ``erased_at``: the latest ce-time of an erase."""

    __tablename__ = "erasures"
    tenant: Mapped[str] = mapped_column(Tenant, primary_key=True, sort_order=-2)
    athlete_digest: Mapped[str] = mapped_column(String(64), primary_key=True, sort_order=-1)
    erased_at: Mapped[datetime]
    taken_at: Mapped[datetime | None] = mapped_column(comment="by this service's clock, when the last was taken")

    def note(self, version: Version) -> None:
        """``version``: of the latest erase."""
        self.erased_at = version[0]


class Erasure(NamedTuple):
    """``sent``: ce-time of the latest erase, by the platform's clock as commands are. ``seen``: the earlier of that and
    when it was taken here, by which events of our own services are judged: the platform's clock may be ahead."""

    sent: datetime
    seen: datetime


Row = TypeVar("Row", bound=AthleteRow)
Keyed = TypeVar("Keyed", bound=AthleteKey)
Value = TypeVar("Value", str, date)
Made = TypeVar("Made")
PAIRS_PER_QUERY = 500


class AthleteStore(Generic[Row]):
    """One tenant's athletes inside somebody else's transaction.

    ``held``: the tables that an erase empties of the athlete. ``blank``: what a row holds before anything is known.
    """

    athlete_row: type[Row]
    erasure_row: type[ErasureRow]
    held: tuple[type[AthleteKey], ...]
    blank: Mapping[str, Any] = {"profile": None}
    digest_separator = "/"

    def __init__(self, db: Session, tenant: str) -> None:
        self.db = db
        self.tenant = tenant

    def athlete(self, athlete: str) -> Row | None:
        return self.db.get(self.athlete_row, (self.tenant, athlete))

    def locked_athletes(self, athletes: Iterable[str]) -> dict[str, Row]:
        """The athletes' rows by name, made when missing, and held until the transaction ends: two replicas that both
        took a message about one athlete wait for each other, so neither assesses without the other's."""
        names = sorted(set(athletes))
        rows = self._locked(names)
        missing = [name for name in names if name not in rows]
        if missing:
            made = [{"tenant": self.tenant, "athlete": name, **self.blank} for name in missing]
            insert_missing(self.db, self.athlete_row, made)
            rows |= self._locked(missing)
        return rows

    def locked_athlete(self, athlete: str) -> Row:
        return self.locked_athletes([athlete])[athlete]

    def rows_by(
        self, row: type[Keyed], column: InstrumentedAttribute[Value], pairs: Iterable[tuple[str, Value]]
    ) -> dict[tuple[str, Value], Keyed]:
        """The stored rows of these pairs of an athlete and a value of ``column``."""
        wanted = sorted(set(pairs))
        rows: dict[tuple[str, Value], Keyed] = {}
        for start in range(0, len(wanted), PAIRS_PER_QUERY):
            part = tuple_(row.athlete, column).in_(wanted[start : start + PAIRS_PER_QUERY])
            for stored in self.db.scalars(select(row).where(row.tenant == self.tenant, part)):
                rows[stored.athlete, getattr(stored, column.key)] = stored
        return rows

    def profile_of(self, athlete: str) -> Profile | None:
        """None while nobody has put the athlete."""
        row = self.athlete(athlete)
        return None if row is None else row.profile

    def erased(self, athletes: Iterable[str]) -> dict[str, Erasure]:
        """When each of the athletes was erased; those who never were are not in it."""
        by_digest = {self._digest(name): name for name in athletes}
        row = self.erasure_row
        query = select(row.athlete_digest, row.erased_at, func.coalesce(row.taken_at, row.erased_at))
        found = self.db.execute(query.where(row.tenant == self.tenant, row.athlete_digest.in_(list(by_digest))))
        return {by_digest[digest]: Erasure(sent, min(sent, taken)) for digest, sent, taken in found}

    def erased_since(self, athlete: str, at: datetime) -> bool:
        """Whether the athlete was erased at or after ``at``."""
        erasure = self.erased([athlete]).get(athlete)
        return erasure is not None and erasure.sent >= at

    def is_erased(self, athlete: str, at: datetime) -> bool:
        """Whether what another service told at ``at`` is not kept: the athlete was erased since, or erased and not put
        again."""
        erasure = self.erased([athlete]).get(athlete)
        if erasure is None:
            return False
        row = self.athlete(athlete)
        return erasure.seen >= at or row is None or row.profile_json is None

    def erase(self, athlete: str, version: Version, now: datetime) -> bool:
        """Deletes all that is held of the athlete, whatever its version; only the fact that somebody was erased stays.
        False: the same was done before, and nothing has come since."""
        held = 0
        for row in self.held:
            gone = self.db.execute(
                delete(row).where(*self._of(row, athlete)), execution_options={"synchronize_session": "fetch"}
            )
            held += cast(CursorResult[Any], gone).rowcount
        return self._note_erased(athlete, version, now) or held > 0

    def by_athlete(
        self, athletes: Iterable[str], make: Callable[..., Made], query: Executable
    ) -> dict[str, list[Made]]:
        """What ``make`` makes of the rows of a query whose first column is one of the athletes, without it."""
        made: dict[str, list[Made]] = {name: [] for name in athletes}
        for athlete, *rest in self.db.execute(query):
            made[athlete].append(make(*rest))
        return made

    def newest_first(
        self, row: type[AthleteKey], newest: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
    ) -> Sequence[str]:
        """Athletes who have such rows, by the ``newest`` of them."""
        query = select(row.athlete).where(row.tenant == self.tenant, *conditions).group_by(row.athlete)
        return self.db.scalars(query.order_by(func.max(newest).desc(), row.athlete)).all()

    def _note_erased(self, athlete: str, version: Version, now: datetime) -> bool:
        """Whether it is the first erase."""
        row = self.db.get(self.erasure_row, (self.tenant, self._digest(athlete)))
        if row is None:
            row = self.erasure_row()
            row.tenant, row.athlete_digest = self.tenant, self._digest(athlete)
            self.db.add(row)
            row.note(version)
        elif row.erased_at < version[0]:
            row.note(version)
        is_first, row.taken_at = row.taken_at is None, now
        return is_first

    def _of(self, row: type[AthleteKey], athlete: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return row.tenant == self.tenant, row.athlete == athlete

    def _digest(self, athlete: str) -> str:
        return sha256(f"{self.tenant}{self.digest_separator}{athlete}".encode()).hexdigest()

    def _locked(self, names: list[str]) -> dict[str, Row]:
        row = self.athlete_row
        query = select(row).where(row.tenant == self.tenant, row.athlete.in_(names)).order_by(row.athlete)
        return {found.athlete: found for found in self.db.scalars(query.with_for_update())}
