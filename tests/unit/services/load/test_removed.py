"""What somebody removed is not kept for ever: first its content goes, in the end that it was removed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from services.load.store import SessionRow
from tests.unit.services.load.conftest import LoadDesk, easy_run

TODAY = date(2026, 4, 1)
SENT = datetime(2026, 4, 1, 8, tzinfo=UTC)
RECORD = ("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY, 60, 5), "distance_km": 12.25})


def rows(desk: LoadDesk) -> list[dict[str, Any]]:
    with desk.database.transaction() as db:
        return [dict(row) for row in db.execute(select(SessionRow.__table__)).mappings()]


def test_the_content_goes_after_a_day_and_the_mark_after_that_of_an_erase(desk: LoadDesk) -> None:
    desk.put()
    desk.send(*RECORD, at=SENT)
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s2", TODAY)}, at=SENT)
    desk.send("load.remove-session", {"athlete": "a1", "session": "s1"}, at=SENT + timedelta(hours=1))
    kept = [row for row in rows(desk) if row["session"] == "s2"]
    desk.tick()
    assert "12.25" in str(rows(desk)), "within a day a person may still look into what was removed"
    desk.now += timedelta(days=2)
    desk.tick()
    (mark,) = [row for row in rows(desk) if row["session"] == "s1"]
    assert "12.25" not in str(mark) and (mark["body"], mark["start"], mark["load"]) == (None, None, None)
    desk.send(*RECORD, at=SENT)
    assert not next(row for row in rows(desk) if row["session"] == "s1")["counts"], "a late record brings nothing back"
    desk.now += timedelta(days=400)
    desk.tick()
    assert rows(desk) == kept
