"""Only days whose figures differ from what was told are told again."""

from shared.athletes.day_digests import changed_days

SILENT = {"ratio": None}


def test_new_changed_and_last_days_are_told() -> None:
    days = [{"date": f"2026-04-0{n}", "ratio": 1.0} for n in (1, 2, 3)]
    first, told = changed_days(days, {}, SILENT)
    assert first == days
    changed = [days[0], {**days[1], "ratio": 1.5}, days[2]]
    again, after = changed_days(changed, told, SILENT)
    assert [day["date"] for day in again] == ["2026-04-02", "2026-04-03"]
    assert changed_days(changed, after, SILENT)[0] == [changed[2]]


def test_a_silent_day_is_told_only_when_something_else_was() -> None:
    empty, last = {"date": "2026-04-01", "ratio": None}, {"date": "2026-04-02", "ratio": None}
    assert changed_days([empty, last], {}, SILENT)[0] == [last]
    _, told = changed_days([{**empty, "ratio": 1.0}, last], {}, SILENT)
    assert changed_days([empty, last], told, SILENT)[0] == [empty, last]
