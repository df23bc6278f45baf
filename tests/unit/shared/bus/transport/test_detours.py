"""A message that reached the commands by a detour: nobody vouches for the tenant in its key."""

from datetime import UTC, datetime

import amqp
import pytest

from shared.bus.delivery.validation import Intake, Refused
from shared.bus.transport.deliveries import delivery_from
from tests.toy.service import ROUTES

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read(exchange: str, **headers: object) -> Refused:
    """A message without a user_id, as py-amqp hands it over."""
    message = amqp.Message(b"{}", application_headers={"ce-id": "m1", **headers}, reply_to="tenant.globex.replies")
    message.delivery_info = {"exchange": exchange, "routing_key": "globex.toy.add"}
    reading = Intake("toy", ROUTES, user_id_required=True).read(delivery_from(message, "command"), NOW)
    assert isinstance(reading, Refused)
    assert [problem.code for problem in reading.problems] == ["user_id_missing"]
    return reading


def test_straight_from_its_sender_it_is_told() -> None:
    address = read("tandem.commands").address
    assert address is not None and address.tenant == "globex"


@pytest.mark.parametrize(
    ("exchange", "headers"),
    [
        ("tandem.commands", {"x-death": [{"queue": "tenant.acme.letters"}]}),
        ("tenant.acme.door", {}),
        ("tandem.events", {}),
    ],
    ids=["dead letter", "an exchange of the sender's", "our own event"],
)
def test_by_a_detour_it_is_counted_and_told_to_nobody(exchange: str, headers: dict[str, object]) -> None:
    assert read(exchange, **headers).address is None
