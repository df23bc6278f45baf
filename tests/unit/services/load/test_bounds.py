"""What somebody sends may be old, much or twice: what is read and what is told stays within bounds."""

from datetime import date, timedelta
from typing import Any

from services.load.domain.settings import LoadSettings
from services.load.store import LoadStore
from services.load.use_cases.gather import DAYS_ASKED_AT_ONCE, gather_days
from shared.messages.json_text import MAX_BYTES, canonical
from shared.messages.values import Profile
from shared.rules.evaluation.tenant_rules import TenantRules
from tests.unit.services.load.conftest import LoadDesk, easy_run

TODAY = date(2026, 4, 1)
CLOCK_NEVER_SET = {"start": "1970-01-01T00:10:00Z"}


def recent(desk: LoadDesk, days: int = 40) -> None:
    for ago in range(days):
        desk.send("load.record-session", {"athlete": "a1", **easy_run(f"s{ago}", TODAY - timedelta(days=ago))})


def test_a_watch_without_a_clock_widens_no_array_and_changes_no_answer(desk: LoadDesk, rules: TenantRules) -> None:
    desk.put()
    recent(desk)
    before = desk.load(days=7)
    desk.send("load.record-session", {"athlete": "a1", **easy_run("old", TODAY), **CLOCK_NEVER_SET})
    desk.send("load.mark-day", {"athlete": "a1", "date": "1970-01-02", "state": "sick"})
    assert desk.load(days=7) == before
    numbers = LoadSettings.of(rules.settings("recovery"))
    with desk.database.transaction() as db:
        store, profile = LoadStore(db, "acme"), Profile(timezone="Europe/Berlin")
        since = TODAY - timedelta(days=numbers.days_looked_back)
        assert len(store.counted(["a1"], since)["a1"]) == 40
        assert store.marks(["a1"], since)["a1"] == []
        (daily,) = gather_days(store, {"a1": (profile, TODAY)}, numbers)["a1"]
        assert len(daily.run) == 40
        assert numbers.days_looked_back + DAYS_ASKED_AT_ONCE < 2000


def test_the_old_session_itself_can_still_be_asked_for(desk: LoadDesk) -> None:
    desk.put()
    recent(desk, 3)
    desk.send("load.record-session", {"athlete": "a1", **easy_run("old", TODAY), **CLOCK_NEVER_SET})
    assert desk.load(date="1970-01-01")["streams"]["run"]["load"] == 200


def copies(athlete: str, batch: int, name_length: int = 128) -> dict[str, Any]:
    """A month of runs once more, each a little longer so that nobody takes it for a copy."""
    sessions = []
    for day in range(30):
        run = easy_run(f"{batch}-{day}".ljust(name_length, "x"), TODAY - timedelta(days=day), 50 + 12 * batch)
        sessions.append({**run, "confirmed": True})
    return {"athlete": athlete, "sessions": sessions}


def test_ten_copies_of_a_month_are_told_within_bounds(desk: LoadDesk) -> None:
    desk.put()
    for batch in range(10):
        assert desk.send("load.import-sessions", copies("a1", batch))["effect"] == "applied"
    assessed = desk.events("load-assessed")[-1]
    assert len(assessed["alerts"]) == 20
    assert assessed["alerts_more"] > 500
    assert len(canonical(assessed)) < MAX_BYTES / 4
    answer = desk.load()
    assert (len(answer["alerts"]), answer["alerts_more"]) == (20, assessed["alerts_more"])


def test_two_hundred_runs_longer_than_ever_before_are_one_event_of_twenty(desk: LoadDesk) -> None:
    desk.put()
    desk.send("load.record-session", {"athlete": "a1", **easy_run("s1", TODAY - timedelta(days=3), 20)})
    longer = [easy_run(f"r{at}".ljust(128, "x"), TODAY, 40, confirmed=True) for at in range(200)]
    desk.send("load.import-sessions", {"athlete": "a1", "sessions": longer})
    (spiked,) = desk.events("load-spiked")
    assert len(spiked["alerts"]) <= 20
    assert all(len(canonical(event.data)) < MAX_BYTES for event in desk.emitted)


def test_a_year_of_days_comes_in_pages(desk: LoadDesk) -> None:
    desk.put()
    recent(desk, 60)
    told: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        asked = {} if cursor is None else {"cursor": cursor}
        answer = desk.load(days=366, **asked)
        assert len(canonical(answer)) < MAX_BYTES
        told += [day["date"] for day in answer["days"]]
        cursor, pages = answer["next"], pages + 1
        assert pages < 20
    assert pages > 1
    assert told == [str(TODAY - timedelta(days=ago)) for ago in range(365, -1, -1)]
    first = desk.load(days=10, limit=4)
    assert (len(first["days"]), first["next"]) == (4, str(TODAY - timedelta(days=5)))
    assert desk.load(days=3)["next"] is None
