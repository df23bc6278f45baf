"""What the sender of a rule pack hears, and when; the whole way is in tests/e2e/test_rule_packs.py."""

from datetime import timedelta
from typing import Any

import pytest

from services.periodization.rule_admin.trials import SETTLE_AFTER
from shared.bus.routes import Accepted, Later, Rejected
from shared.messages.json_text import MAX_BYTES
from tests.unit.services.periodization.conftest import Periodization

BY = {"author": "Kim", "reason": "ours"}
SEQUENCING = 'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing\noverride: {lift-run-gap: {because: x}}\n'
DELOAD = 'id: acme.deload\nversion: "1.0.0"\nextends: base.deload\noverride: {every-fourth-week: {because: x}}\n'
ASKED = {"correlation_id": "c1", "reply_to": "tenant.acme.replies"}


def activate(periodization: Periodization, pack: str, **more: Any) -> Any:
    return periodization.take("rules.activate-pack", {"pack": pack, "version": "1.0.0", **BY}, **{**ASKED, **more})


def compared(message: str, service: str = "scheduling", **more: Any) -> dict[str, Any]:
    changes = [{"athlete": "a1", "about": "week of 2026-03-02", "sentence": "accepted becomes refused"}]
    return {"message": message, "service": service, "athletes": 3, "changes": changes, **more}


@pytest.fixture
def put(periodization: Periodization) -> Periodization:
    for text in (SEQUENCING, DELOAD):
        assert isinstance(periodization.take("rules.put-pack", {"text": text, **BY}), Accepted)
    return periodization


def test_the_reply_waits_for_the_service_that_decides_by_the_pack(put: Periodization) -> None:
    assert isinstance(activate(put, "acme.sequencing", id="t1"), Later)
    assert put.late_replies == []
    (activated,) = put.emitted("rules-activated")
    assert activated["sent"]["text"] == SEQUENCING, "it is in force without waiting"
    put.take("scheduling.rules-compared", compared("t1", added_later=True))
    (reply,) = put.late_replies
    assert (reply["athletes"], reply["not_heard"], reply["changes_left_out"]) == ({"scheduling": 3}, [], 0)
    assert reply["changes"] == [{"service": "scheduling", **compared("t1")["changes"][0]}]
    put.take("scheduling.rules-compared", compared("t1"))
    assert len(put.late_replies) == 1


def test_a_service_that_is_down_keeps_nobody_waiting_and_is_named(put: Periodization) -> None:
    activate(put, "acme.sequencing")
    put.tick()
    assert put.late_replies == []
    put.now += SETTLE_AFTER + timedelta(seconds=1)
    put.tick(tenant="other")
    assert put.late_replies == []
    put.tick()
    (reply,) = put.late_replies
    assert (reply["not_heard"], reply["changes"]) == (["scheduling"], [])


def test_another_tenants_answer_settles_nothing(put: Periodization) -> None:
    activate(put, "acme.sequencing", id="t1")
    put.take("scheduling.rules-compared", compared("t1"), tenant="other")
    assert put.late_replies == []


def test_a_pack_that_only_this_service_decides_by_is_answered_at_once(put: Periodization) -> None:
    activate(put, "acme.deload")
    assert [reply["state"] for reply in put.late_replies] == ["active"]


def test_a_service_that_cannot_use_the_pack_says_why(put: Periodization) -> None:
    activate(put, "acme.sequencing", id="t1")
    put.take("scheduling.rules-compared", compared("t1", changes=[], problem="base.yaml:1:1: is older"))
    assert put.late_replies[0]["problems"] == ["scheduling: base.yaml:1:1: is older"]


def test_a_pack_as_large_as_a_message_is_refused(periodization: Periodization) -> None:
    with pytest.raises(Rejected) as rejected:
        periodization.take("rules.put-pack", {"text": SEQUENCING + "#" * MAX_BYTES, **BY})
    assert [(problem.pointer, problem.code) for problem in rejected.value.problems] == [("/text", "too_large")]


def test_another_tenants_pack_cannot_be_activated(put: Periodization) -> None:
    with pytest.raises(Rejected) as rejected:
        activate(put, "acme.sequencing", tenant="other")
    assert [(problem.pointer, problem.code) for problem in rejected.value.problems] == [("/pack", "unknown_pack")]
