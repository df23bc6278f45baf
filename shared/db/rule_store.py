"""Rule packs in a service's database: what a tenant sent, what it put into force, and the last good rule files."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, cast

import structlog
from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.contract.words import PackKind
from shared.db.engine import Database
from shared.db.rule_tables import (
    OF_ALL,
    RULE_TABLES,
    ActivationRow,
    LastGoodFileRow,
    LastGoodTextRow,
    PackRow,
    RuleRevisionRow,
)
from shared.db.tables import table_of
from shared.db.upserts import insert_missing, upsert
from shared.rules.rule_texts import STORED, RuleText, RuleTexts

_log = structlog.get_logger("tandem.rules")

ANSWERS_WITHIN_S: Final = 2.0
"""A database that says nothing must not keep rule files from being looked at."""
_AWAY: Final = (SQLAlchemyError, TimeoutError)
"""Also that no connection was to be had in time."""

Action = Literal["activate", "roll-back"]
_Place = tuple[str, int]
"""Layer (base or own) and number of a kept file."""
_FileHash = tuple[str, str]
"""A kept file's name and its text's hash."""


@dataclass(frozen=True, slots=True)
class StoredPack:
    """One version of a tenant's pack as it was sent; its text never changes. ``hash``: of the resolved pack then."""

    pack: str
    version: str
    kind: PackKind
    text: str
    hash: str
    effective_from: date | None
    author: str
    reason: str
    at: datetime

    def as_text(self, tenant: str) -> RuleText:
        return RuleText(f"{STORED}{tenant}/{self.pack}@{self.version}.yaml", self.text.encode())


@dataclass(frozen=True, slots=True)
class StoredActivation:
    """One decision about what is in force. ``version`` None: no stored pack of the kind, the files count again."""

    number: int
    action: Action
    kind: PackKind
    pack: str
    version: str | None
    starts: date
    author: str
    reason: str
    at: datetime
    message_id: str


def in_force(activations: Sequence[StoredActivation], on: date | None) -> dict[PackKind, StoredActivation]:
    """By kind what counts on day ``on`` (None: whenever): the last decision of those that have started by then.

    So a decision also takes back what was decided before it for a later day.
    """
    chosen: dict[PackKind, StoredActivation] = {}
    for activation in sorted(activations, key=lambda one: one.number):
        if on is None or activation.starts <= on:
            chosen[activation.kind] = activation
    return {kind: activation for kind, activation in chosen.items() if activation.version is not None}


class RuleShelf:
    """One tenant's stored packs, within somebody's transaction."""

    def __init__(self, db: Session, tenant: str) -> None:
        self._db = db
        self._tenant = tenant

    def put(self, pack: StoredPack) -> None:
        """Keeps a version; the one that is there already stays as it is."""
        values = {name: getattr(pack, name) for name in pack.__slots__}
        insert_missing(self._db, PackRow, {"tenant": self._tenant, **values})

    def pack(self, pack: str, version: str) -> StoredPack | None:
        return next(iter(self.packs(pack, version)), None)

    def packs(self, pack: str | None = None, version: str | None = None) -> list[StoredPack]:
        """In the order of putting."""
        query = select(PackRow).where(PackRow.tenant == self._tenant)
        if pack is not None:
            query = query.where(PackRow.pack == pack)
        if version is not None:
            query = query.where(PackRow.version == version)
        rows = self._db.scalars(query.order_by(PackRow.at, PackRow.pack, PackRow.version))
        return [StoredPack(**{name: getattr(row, name) for name in StoredPack.__slots__}) for row in rows]

    def activations(self) -> list[StoredActivation]:
        """In the order of deciding."""
        rows = self._db.scalars(
            select(ActivationRow).where(ActivationRow.tenant == self._tenant).order_by(ActivationRow.number)
        )
        return [StoredActivation(**{name: getattr(row, name) for name in StoredActivation.__slots__}) for row in rows]

    def next_number(self) -> int:
        """The number of the next decision; from here on the tenant's decisions wait for this transaction."""
        _count_change(self._db, self._tenant)
        query = select(func.max(ActivationRow.number)).where(ActivationRow.tenant == self._tenant)
        return (self._db.scalar(query) or 0) + 1

    def activate(self, activation: StoredActivation) -> None:
        """Keeps a decision; the same again changes nothing. Replicas notice once the transaction is committed."""
        values = {name: getattr(activation, name) for name in activation.__slots__}
        insert_missing(self._db, ActivationRow, {"tenant": self._tenant, **values})
        _count_change(self._db, self._tenant)
        _count_change(self._db, OF_ALL)

    def texts(self, on: date | None, before: int | None = None) -> dict[PackKind, RuleText]:
        """What counts on day ``on``, by kind; with ``before`` as it was before that decision."""
        decided = [one for one in self.activations() if before is None or one.number < before]
        found = in_force(decided, on)
        packs = {kind: self.pack(found[kind].pack, found[kind].version or "") for kind in sorted(found)}
        return {kind: pack.as_text(self._tenant) for kind, pack in packs.items() if pack is not None}


def forget_tenant(db: Session, tenant: str) -> int:
    """Deletes a tenant's packs, the record of who decided what, and its last good files; how many rows. Replicas of
    the service notice once the transaction is committed."""
    deleted = 0
    for table in map(table_of, RULE_TABLES):
        deleted += cast(CursorResult[Any], db.execute(delete(table).where(table.c.tenant == tenant))).rowcount
    if deleted:
        _count_change(db, OF_ALL)
    return deleted


class StoredRules:
    """A service's database as the place where rules outlive files and processes: ``rule_book.StoredPacks``.

    While the database is away, what is known of it stays.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._overall: int | None = None
        self._revisions: Mapping[str, int] = {}

    def close(self) -> None:
        self._database.dispose()

    def revisions(self) -> Mapping[str, int]:
        """By tenant a number that changes with its stored packs. One row is read as long as nothing changes."""
        try:
            with self._database.within(ANSWERS_WITHIN_S), self._database.reading() as db:
                overall = db.scalar(select(RuleRevisionRow.revision).where(RuleRevisionRow.tenant == OF_ALL)) or 0
                if overall != self._overall:
                    query = select(RuleRevisionRow.tenant, RuleRevisionRow.revision)
                    rows = db.execute(query.where(RuleRevisionRow.tenant != OF_ALL))
                    self._revisions = dict(rows.all())
                    self._overall = overall
        except _AWAY:
            _log.warning("stored rule packs cannot be looked at; what is in force stays", exc_info=True)
        return self._revisions

    def texts(self, tenant: str, on: date | None) -> tuple[RuleText, ...]:
        with self._database.reading() as db:
            return tuple(RuleShelf(db, tenant).texts(on).values())

    def saved_tenants(self) -> frozenset[str]:
        """Tenants whose own files were in force last."""
        query = select(LastGoodFileRow.tenant).where(LastGoodFileRow.tenant != OF_ALL, LastGoodFileRow.layer == "own")
        with self._database.reading() as db:
            return frozenset(db.scalars(query))

    def last_good(self, tenant: str | None) -> RuleTexts | None:
        files, texts = LastGoodFileRow, LastGoodTextRow
        query = (
            select(files.layer, files.file, texts.text)
            .join(texts, (texts.text_hash == files.text_hash) & texts.tenant.in_([tenant or OF_ALL, OF_ALL]))
            .where(files.tenant == (tenant or OF_ALL))
            .order_by(files.layer, files.place)
            .distinct()
            .add_columns(files.place)
        )
        with self._database.reading() as db:
            rows = db.execute(query).all()
        if not rows:
            return None
        layers: dict[str, list[RuleText]] = {"base": [], "own": []}
        for layer, file, text, _ in rows:
            layers[layer].append(RuleText(file, text.encode()))
        return RuleTexts(tuple(layers["base"]), tuple(layers["own"]))

    def save(self, in_force: Mapping[str | None, RuleTexts | None]) -> bool:
        """By tenant the files in force; None: it has no files any more. False: the database is away.

        A power cut may undo it, which costs nothing: whoever starts again reads the files and keeps them again.
        """
        wanted = {tenant or OF_ALL: _rows(texts) for tenant, texts in in_force.items()}
        try:
            with self._database.within(ANSWERS_WITHIN_S):
                stored = self._stored_files(wanted)
                changed = {whose: rows for whose, rows in wanted.items() if stored.get(whose, {}) != _file_hashes(rows)}
                if changed:
                    with self._database.transaction(durable=False) as db:
                        for whose in sorted(changed):  # one order for all replicas, so that none waits in a circle
                            self._save(db, whose, changed[whose], stored.get(whose, {}))
        except _AWAY:
            _log.warning("the rule files in force could not be stored", count=len(wanted), exc_info=True)
            return False
        return True

    def _stored_files(self, tenants: Iterable[str]) -> dict[str, dict[_Place, _FileHash]]:
        found: dict[str, dict[_Place, _FileHash]] = {}
        with self._database.reading() as db:
            for row in db.scalars(select(LastGoodFileRow).where(LastGoodFileRow.tenant.in_(list(tenants)))):
                found.setdefault(row.tenant, {})[row.layer, row.place] = row.file, row.text_hash
        return found

    def _save(
        self, db: Session, whose: str, rows: Mapping[_Place, RuleText], stored: Mapping[_Place, _FileHash]
    ) -> None:
        files, texts = LastGoodFileRow, LastGoodTextRow
        hashes = _file_hashes(rows)
        new = {place: text for place, text in rows.items() if stored.get(place) != hashes[place]}
        for (layer, _), text in new.items():
            # Base texts are the same for all tenants and stand there once.
            owner = OF_ALL if layer == "base" else whose
            insert_missing(db, texts, {"tenant": owner, "text_hash": _hash(text), "text": text.raw.decode()})
        for layer, place in new:
            file, text_hash = hashes[layer, place]
            row = {"file": file, "text_hash": text_hash}
            upsert(db, files, {"tenant": whose, "layer": layer, "place": place, **row}, row)
        for layer in ("base", "own"):
            count = sum(1 for one, _ in rows if one == layer)
            db.execute(delete(files).where(files.tenant == whose, files.layer == layer, files.place >= count))
        if whose != OF_ALL:
            used = select(files.text_hash).where(files.tenant == whose)
            db.execute(delete(texts).where(texts.tenant == whose, texts.text_hash.not_in(used)))


def _rows(texts: RuleTexts | None) -> dict[_Place, RuleText]:
    if texts is None:
        return {}
    layers = (("base", texts.base), ("own", texts.own))
    return {(layer, place): text for layer, files in layers for place, text in enumerate(files)}


def _file_hashes(rows: Mapping[_Place, RuleText]) -> dict[_Place, _FileHash]:
    return {place: (text.file, _hash(text)) for place, text in rows.items()}


def _count_change(db: Session, tenant: str) -> None:
    one_more = {"revision": RuleRevisionRow.revision + 1}
    upsert(db, RuleRevisionRow, {"tenant": tenant, "revision": 1}, one_more)


def _hash(text: RuleText) -> str:
    return hashlib.sha256(text.raw).hexdigest()
