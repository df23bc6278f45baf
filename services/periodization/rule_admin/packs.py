"""``rules.*``: a tenant's own packs are checked and kept, tried on its athletes, put into force and taken back.

This service decides and answers. What a decision changes in other services' decisions they are asked (``rules-tried``);
they keep what stands (``rules-activated``).
"""

from collections.abc import Sequence
from datetime import UTC, date
from typing import Any, Final, cast

from services.periodization.messages import ActivatePack, GetPacks, PutPack, RollBackPack
from services.periodization.rule_admin.tenant_packs import sound_pack
from services.periodization.rule_admin.trials import SETTLE_AFTER, Trials
from services.periodization.use_cases.compare_rules import compare_seasons
from shared.bus.delivery.replies import Later, RepliesLater
from shared.bus.routes import Accepted, Answered, Context, Incoming, Rejected, Route
from shared.bus.rule_routes import Compare, both_rules, compared, keep
from shared.contract.words import PackKind
from shared.db.rule_store import Action, RuleShelf, StoredPack, in_force
from shared.messages.json_text import MAX_BYTES
from shared.messages.problems import Problem
from shared.messages.rule_packs import PackDecision, PackSent, RulesActivated, RulesCompared, RulesTried
from shared.messages.validation import MAX_PROBLEMS
from shared.rules.authoring.difference import differences
from shared.rules.errors import RuleFileErrors, did_you_mean
from shared.rules.lifecycle.dry_run import Triable, with_stored
from shared.rules.model import Pack
from shared.rules.rule_texts import STORED

SERVICE: Final = "periodization"
ROOM_IN_EVENT: Final = 8 * 1024
"""What an event that carries a pack's text needs beside it, bytes."""
ASKED: Final[dict[PackKind, tuple[str, ...]]] = {"sequencing": ("scheduling",), "recovery": ("load", "recovery")}
"""By kind of pack the services whose decisions it shapes, beside this one's."""
OWN: Final[dict[PackKind, Compare]] = {"deload": compare_seasons, "periodization": compare_seasons}


def put_pack(context: Context, incoming: Incoming[PutPack]) -> Accepted:
    body, shelf = incoming.body, _shelf(context)
    if len(body.text.encode()) > MAX_BYTES - ROOM_IN_EVENT:
        raise Rejected([Problem("/text", "too_large", f"a pack may have {MAX_BYTES - ROOM_IN_EVENT} bytes at most")])
    today = _today(context)
    try:
        sound = sound_pack(body.text, context.tenant, cast(Triable, context.rules), shelf.texts(today), today)
    except RuleFileErrors as errors:
        raise Rejected(_problems("/text", errors)) from None
    pack = sound.pack
    known = shelf.pack(pack.id, pack.version)
    if known is not None and known.text != body.text:
        message = f"version {pack.version} of {pack.id} is there with another text; give this one a new version"
        raise Rejected([Problem("/text", "version_taken", message)])
    if known is None:
        shelf.put(
            StoredPack(
                pack.id, pack.version, sound.kind, body.text, pack.hash, sound.effective_from, body.author, body.reason,
                context.now(),
            )
        )  # fmt: skip
    return Accepted(
        {
            **_named(pack, sound.kind),
            "state": "stored",
            "effective_from": None if sound.effective_from is None else sound.effective_from.isoformat(),
            "remarks": [str(remark) for remark in sound.remarks],
            "differences": [str(one) for one in sound.differences],
        }
    )


def activate_pack(context: Context, incoming: Incoming[ActivatePack]) -> Accepted:
    body, shelf = incoming.body, _shelf(context)
    sent = _stored(shelf, body.pack, body.version)
    return _decide(context, incoming, shelf, "activate", sent.kind, sent)


def roll_back_pack(context: Context, incoming: Incoming[RollBackPack]) -> Accepted:
    """To ``version``, or to what was in force before the latest activation; at last to the files."""
    body, shelf = incoming.body, _shelf(context)
    if body.version is not None:
        sent = _stored(shelf, body.pack, body.version)
        return _decide(context, incoming, shelf, "roll-back", sent.kind, sent)
    known = shelf.packs(body.pack)
    current = in_force(shelf.activations(), None).get(known[0].kind) if known else None
    if current is None or current.pack != body.pack:
        active = [one.pack for one in in_force(shelf.activations(), None).values()]
        hint = did_you_mean(body.pack, active) if active else "; none is active"
        raise Rejected([Problem("/pack", "not_active", f"no version of '{body.pack}' is active{hint}")])
    return _decide(context, incoming, shelf, "roll-back", current.kind, _before_latest(shelf, current.kind))


def get_packs(context: Context, incoming: Incoming[GetPacks]) -> Answered:
    """What is in force on day ``on`` (today), what is stored, and who decided what and why."""
    shelf, today = _shelf(context), _today(context)
    on = incoming.body.on or today
    activations = shelf.activations()
    now, coming = in_force(activations, today), in_force(activations, None)
    try:
        rules = with_stored(cast(Triable, context.rules), shelf.texts(on), on)
    except RuleFileErrors as errors:
        raise Rejected(_problems("/on", errors)) from None
    state = {(one.pack, one.version): "scheduled" for one in coming.values()}
    state |= {(one.pack, one.version): "active" for one in now.values()}
    return Answered(
        {
            "on": on.isoformat(),
            "in_force": [{**_named(pack, pack.kind), "from": _from(pack)} for pack in rules.packs()],
            "packs": [
                {**_told(pack), "state": state.get((pack.pack, pack.version), "stored")} for pack in shelf.packs()
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


def hear_compared(context: Context, incoming: Incoming[RulesCompared]) -> None:
    trials = Trials(context.db, context.tenant)
    settled = trials.hear(incoming.body.message, incoming.body.service, incoming.body.model_dump(mode="json"))
    if settled is not None and isinstance(context, RepliesLater):
        context.reply_late(settled.address, Accepted(settled.answer))


def settle_trials(context: Context) -> None:
    """Answers those who wait for a service that does not say anything."""
    for settled in Trials(context.db, context.tenant).settle_before(context.now() - SETTLE_AFTER):
        if isinstance(context, RepliesLater):
            context.reply_late(settled.address, Accepted(settled.answer))


def _decide(
    context: Context,
    incoming: Incoming[Any],
    shelf: RuleShelf,
    action: Action,
    kind: PackKind,
    sent: StoredPack | None,
) -> Accepted:
    """Tries the decision on the tenant's athletes and, unless it is a dry run, makes it."""
    body, today = incoming.body, _today(context)
    decision = PackDecision(
        number=shelf.next_number(),
        action=action,
        kind=kind,
        pack=sent.pack if sent is not None else body.pack,
        sent=None if sent is None else PackSent(**{name: getattr(sent, name) for name in PackSent.model_fields}),
        starts=max(today, today if sent is None else sent.effective_from or today),
        author=body.author,
        reason=body.reason,
        at=context.now(),
        message=incoming.id,
    )
    try:
        both = both_rules(context, shelf, decision)
    except RuleFileErrors as errors:
        raise Rejected(_problems("/version", errors)) from None
    after = both.after.pack(kind)
    active = "active" if decision.starts <= today else "scheduled"
    answer = {
        **_named(after, kind),
        "from": _from(after),
        "state": "tried" if body.dry_run else active,
        "starts": decision.starts.isoformat(),
        "differences": [str(one) for one in differences(both.before.pack(kind), after)],
    }
    plain = decision.model_dump(mode="json")
    context.emit("rules-tried", RulesTried.model_validate(plain).model_dump(mode="json"), None)
    own = compared(context, shelf, decision, OWN[kind], SERVICE) if kind in OWN else None
    if not body.dry_run:
        keep(shelf, decision)
        context.emit("rules-activated", RulesActivated.model_validate(plain).model_dump(mode="json"), None)
    address = context.reply_address() if isinstance(context, RepliesLater) else None
    if address is None or not isinstance(context, RepliesLater):
        return Accepted(answer)
    trials = Trials(context.db, context.tenant)
    trials.begin(incoming.id, context.now(), ASKED.get(kind, ()), answer, address)
    # The reply names athletes: it goes out once and is not kept with the command, as an immediate one would be.
    settled = trials.hear(incoming.id, SERVICE, None if own is None else own.model_dump(mode="json"))
    if settled is not None:
        context.reply_late(settled.address, Accepted(settled.answer))
    return Later()


def _before_latest(shelf: RuleShelf, kind: PackKind) -> StoredPack | None:
    """What a roll-back returns to: activations pile up, roll-backs take from the pile. None: nothing is left."""
    pile: list[tuple[str, str]] = []
    for one in shelf.activations():
        if one.kind != kind:
            continue
        target = None if one.version is None else (one.pack, one.version)
        if one.action == "roll-back":
            while pile and pile[-1] != target:
                pile.pop()
        if target is not None and (not pile or pile[-1] != target):
            pile.append(target)
    return shelf.pack(*pile[-2]) if len(pile) > 1 else None


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


def _problems(pointer: str, errors: RuleFileErrors) -> Sequence[Problem]:
    told = [Problem(pointer, "rule_file", str(error)) for error in errors.errors[:MAX_PROBLEMS]]
    left = len(errors.errors) - len(told)
    return [*told, Problem(pointer, "too_many_errors", f"and {left} more like these")] if left else told


def _named(pack: Pack, kind: PackKind) -> dict[str, Any]:
    return {"pack": pack.id, "kind": kind, "version": pack.version, "hash": pack.hash[:12]}


def _told(pack: StoredPack) -> dict[str, Any]:
    return {
        "pack": pack.pack, "kind": pack.kind, "version": pack.version, "hash": pack.hash[:12],
        "effective_from": None if pack.effective_from is None else pack.effective_from.isoformat(),
        "author": pack.author, "reason": pack.reason, "at": pack.at.isoformat(),
    }  # fmt: skip


def _from(pack: Pack) -> str:
    """``stored``, the tenant's ``file``, or the ``base``."""
    if pack.files and pack.files[-1].startswith(STORED):
        return "stored"
    return "base" if pack.id.startswith("base.") else "file"


def _shelf(context: Context) -> RuleShelf:
    return RuleShelf(context.db, context.tenant)


def _today(context: Context) -> date:
    """UTC, as rule files are effective by it too: a tenant's athletes live in many zones."""
    return context.now().astimezone(UTC).date()


ROUTES: tuple[Route, ...] = (
    Route("command", "rules.put-pack", PutPack, put_pack),
    Route("command", "rules.activate-pack", ActivatePack, activate_pack),
    Route("command", "rules.roll-back-pack", RollBackPack, roll_back_pack),
    Route("command", "rules.get-packs", GetPacks, get_packs, query=True),
    *(
        Route("event", f"{service}.rules-compared", RulesCompared, hear_compared, replies=False)
        for service in sorted({service for asked in ASKED.values() for service in asked})
    ),
)
