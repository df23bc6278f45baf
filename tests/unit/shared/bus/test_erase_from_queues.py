"""Of what waits about an erased athlete goes what was received before the erase, or sent before it; whichever clock was
ahead."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.bus.operations.erase_from_queues import About, _sent_before, digests_of

TAKEN = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("erase_ahead", "sent", "failed", "is_event", "goes"),
    [
        (0, -1, 1, False, True),  # sent before, failed after
        (0, 1, 2, False, False),  # of the athlete who came after it
        (0, 4, -1, False, True),  # a clock ahead, yet received before
        (4, 2, 3, False, True),  # the platform's clock is ahead: by that clock sent before
        (4, 5, 1, False, False),
        (4, 2, 3, True, False),  # an event of ours: our clock says after
        (-4, -2, 1, True, False),  # the erase was long under way, and the event came after it was sent
    ],
)
def test_what_was_received_or_sent_before_the_erase_goes(
    erase_ahead: int, sent: int, failed: int, is_event: bool, goes: bool
) -> None:
    def at(minutes: int) -> datetime:
        return TAKEN + timedelta(minutes=minutes)

    about = About("acme", "a1", at(sent).isoformat(), at(failed).isoformat(), is_event, "m1", "/p", "load.x")
    erased = {("acme", digests_of("acme", "a1")[0]): (at(erase_ahead), TAKEN)}
    assert _sent_before(about, erased) is goes
    assert not _sent_before(About("other", "a1", None, None, is_event, None, None, "load.x"), erased)
