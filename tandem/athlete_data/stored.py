"""What the four databases hold of one athlete. Reads only."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.contract.words import SERVICES
from shared.db.engine import Database
from shared.db.migrations import SchemaOutdated
from shared.db.row_security import act_for
from shared.ops.settings import Settings
from tandem.athlete_data.parts import Part, parts_of
from tandem.runtime.databases import check_databases
from tandem.runtime.service_classes import service_named

_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


class CannotRead(RuntimeError):
    """The message names the service and says what to do."""


class StoredData:
    """One tenant's athlete in all four databases. A service is read as it is at one moment, in pieces."""

    def __init__(self, settings: Settings, tenant: str, athlete: str) -> None:
        self._settings, self._tenant, self._athlete = settings, tenant, athlete

    def counts(self) -> dict[str, dict[str, int]]:
        """By service and table how many rows are the athlete's; tables with none are left out. Raises CannotRead."""
        counts: dict[str, dict[str, int]] = {}
        for service in SERVICES:
            with self._reading(service) as db:
                rows = {part.table.name: _count(db, part) for part in self._parts(service) if part.held}
            counts[service] = {name: count for name, count in rows.items() if count}
        return counts

    def parts(self, service: str) -> Iterator[tuple[Part, Iterator[dict[str, Any]]]]:
        """Each part with its rows as plain JSON values, in the order of their keys; take the rows before the next
        part. Raises CannotRead."""
        with self._reading(service) as db:
            for part in self._parts(service):
                yield part, _rows(db, part)

    def _parts(self, service: str) -> Iterator[Part]:
        return parts_of(service, service_named(service).metadata, self._tenant, self._athlete)

    @contextmanager
    def _reading(self, service: str) -> Iterator[Session]:
        database = Database(service, _existing(self._settings, service))
        try:
            check_databases(self._settings, [service])
            with database.reading() as db:
                if not database.is_sqlite:
                    db.execute(_ONE_MOMENT)
                act_for(db, self._tenant)
                yield db
        except SchemaOutdated as error:
            raise CannotRead(str(error)) from None
        except DBAPIError as error:
            kind = type(error.orig).__name__
            raise CannotRead(f"{service}: its database does not answer ({kind}); see TANDEM_DATABASE_URL") from None
        finally:
            database.dispose()


def _existing(settings: Settings, service: str) -> str:
    url = settings.database_url_of(service)
    file = url.removeprefix("sqlite:///").partition("?")[0]
    if url.startswith("sqlite:") and not Path(file).exists():  # opening it would make an empty one
        raise CannotRead(f"{service}: there is no database {file}; set TANDEM_DATABASE_URL")
    return url


def _count(db: Session, part: Part) -> int:
    return db.scalar(select(func.count()).select_from(part.query.order_by(None).subquery())) or 0


def _rows(db: Session, part: Part) -> Iterator[dict[str, Any]]:
    # All at once: a cursor of the server's would need a BEGIN ahead of its statement; see shared.db.batches.
    for row in db.execute(part.query).mappings():
        if part.keeps(row):
            yield _plain(row)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return readable(bytes(value))
    return value


def readable(body: bytes) -> Any:
    """JSON as what it says, other text as text, anything else in base64."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
