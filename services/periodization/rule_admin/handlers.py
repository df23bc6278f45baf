"""``rules.*``: a tenant's own packs are checked and stored, tried on its athletes, put into force and taken back.

This service decides and answers. What a decision changes in other services' decisions they are asked (``rules-tried``);
they store what stands (``rules-activated``).
"""

from typing import Any, Final, cast

from services.periodization.messages import ActivatePack, GetPacks, PutPack, RollBackPack
from services.periodization.rule_admin.activate import (
    ASKED,
    before_latest,
    decide,
    file_problems,
    identity,
    origin,
    shelf_of,
    today_of,
    told,
)
from services.periodization.rule_admin.tenant_packs import sound_pack
from services.periodization.rule_admin.trials import Trials, decided
from shared.bus.routes import (
    APPLIED,
    UNCHANGED,
    Accepted,
    Answered,
    Context,
    Incoming,
    Later,
    Rejected,
    RepliesLater,
    Route,
)
from shared.db.rule_store import RuleShelf, StoredPack, in_force
from shared.messages.json_text import MAX_BYTES
from shared.messages.rule_packs import RulesCompared
from shared.messages.validation import Problem
from shared.rules.errors import RuleFileErrors, did_you_mean
from shared.rules.lifecycle.dry_run import Triable, with_stored

ROOM_IN_EVENT: Final = 8 * 1024
"""What an event that carries a pack's text needs beside it, bytes."""


def put_pack(context: Context, incoming: Incoming[PutPack]) -> Accepted:
    body, shelf = incoming.body, shelf_of(context)
    if len(body.text.encode()) > MAX_BYTES - ROOM_IN_EVENT:
        raise Rejected([Problem("/text", "too_large", f"a pack may have {MAX_BYTES - ROOM_IN_EVENT} bytes at most")])
    today = today_of(context)
    try:
        sound = sound_pack(body.text, context.tenant, cast(Triable, context.rules), shelf.texts(today), today)
    except RuleFileErrors as errors:
        raise Rejected(file_problems("/text", errors)) from None
    known = shelf.pack(sound.id, sound.version)
    if known is not None and known.text != body.text:
        message = f"version {sound.version} of {sound.id} is there with another text; give this one a new version"
        raise Rejected([Problem("/text", "version_taken", message)])
    if known is None:
        shelf.put(
            StoredPack(
                sound.id, sound.version, sound.kind, body.text, sound.hash, sound.effective_from, body.author,
                body.reason, context.now(),
            )
        )  # fmt: skip
    return Accepted(
        APPLIED if known is None else UNCHANGED,
        {
            **identity(sound, sound.kind),
            "state": "stored",
            "effective_from": None if sound.effective_from is None else sound.effective_from.isoformat(),
            "remarks": told(sound.remarks),
            "differences": told(sound.differences),
        },
    )


def activate_pack(context: Context, incoming: Incoming[ActivatePack]) -> Accepted | Later:
    body, shelf = incoming.body, shelf_of(context)
    sent = _stored(shelf, body.pack, body.version)
    return decide(context, incoming, shelf, "activate", sent.kind, sent)


def roll_back_pack(context: Context, incoming: Incoming[RollBackPack]) -> Accepted | Later:
    """To ``version``, or to what was in force before the latest activation; at last to the files."""
    body, shelf = incoming.body, shelf_of(context)
    if body.version is not None:
        sent = _stored(shelf, body.pack, body.version)
        return decide(context, incoming, shelf, "roll-back", sent.kind, sent)
    known = shelf.packs(body.pack)
    current = in_force(shelf.activations(), None).get(known[0].kind) if known else None
    if current is None or current.pack != body.pack:
        active = [one.pack for one in in_force(shelf.activations(), None).values()]
        hint = did_you_mean(body.pack, active) if active else "; none is active"
        raise Rejected([Problem("/pack", "not_active", f"no version of '{body.pack}' is active{hint}")])
    return decide(context, incoming, shelf, "roll-back", current.kind, before_latest(shelf, current.kind))


def get_packs(context: Context, incoming: Incoming[GetPacks]) -> Answered:
    """What is in force on day ``on`` (today), what is stored, and who decided what and why."""
    shelf, today = shelf_of(context), today_of(context)
    on = incoming.body.on or today
    activations = shelf.activations()
    now, coming = in_force(activations, today), in_force(activations, None)
    try:
        rules = with_stored(cast(Triable, context.rules), shelf.texts(on), on)
    except RuleFileErrors as errors:
        raise Rejected(file_problems("/on", errors)) from None
    state = {(one.pack, one.version): "scheduled" for one in coming.values()}
    state |= {(one.pack, one.version): "active" for one in now.values()}
    return Answered(
        {
            "on": on.isoformat(),
            "in_force": [{**identity(pack, pack.kind), "from": origin(pack)} for pack in rules.packs()],
            "packs": [
                {**_listed(pack), "state": state.get((pack.pack, pack.version), "stored")} for pack in shelf.packs()
            ],
            "activations": [
                {
                    "number": one.number, "action": one.action, "kind": one.kind, "pack": one.pack,
                    "version": one.version, "starts": one.starts.isoformat(), "author": one.author,
                    "reason": one.reason, "at": one.at.isoformat(), "message": one.message_id,
                }
                for one in activations
            ],
        }
    )  # fmt: skip


def on_rules_compared(context: Context, incoming: Incoming[RulesCompared]) -> None:
    trials = Trials(context.db, context.tenant)
    settled = trials.note(incoming.body.message, incoming.body.service, incoming.body.model_dump(mode="json"))
    if settled is not None and isinstance(context, RepliesLater):
        context.reply_late(settled.address, decided(settled.answer))


def _stored(shelf: RuleShelf, pack: str, version: str) -> StoredPack:
    found = shelf.pack(pack, version)
    if found is not None:
        return found
    versions = [one.version for one in shelf.packs(pack)]
    if versions:
        message = f"there is no version {version} of {pack}; stored are {', '.join(versions)}"
        raise Rejected([Problem("/version", "unknown_version", message)])
    hint = did_you_mean(pack, {one.pack for one in shelf.packs()})
    raise Rejected([Problem("/pack", "unknown_pack", f"no pack '{pack}' is stored{hint}")])


def _listed(pack: StoredPack) -> dict[str, Any]:
    return {
        "pack": pack.pack, "kind": pack.kind, "version": pack.version, "hash": pack.hash[:12],
        "effective_from": None if pack.effective_from is None else pack.effective_from.isoformat(),
        "author": pack.author, "reason": pack.reason, "at": pack.at.isoformat(),
    }  # fmt: skip


ROUTES: tuple[Route, ...] = (
    Route("command", "rules.put-pack", PutPack, put_pack),
    Route("command", "rules.activate-pack", ActivatePack, activate_pack),
    Route("command", "rules.roll-back-pack", RollBackPack, roll_back_pack),
    Route("command", "rules.get-packs", GetPacks, get_packs, query=True),
    *(
        Route("event", f"{service}.rules-compared", RulesCompared, on_rules_compared, replies=False)
        for service in sorted({service for asked in ASKED.values() for service in asked})
    ),
)
