"""A decision about a tenant's packs: tried on its athletes and, unless it is a dry run, made."""

from collections.abc import Sequence
from datetime import UTC, date
from typing import Any, Final

from services.periodization.rule_admin.tenant_packs import SoundPack
from services.periodization.rule_admin.trials import TRIED, Trials, decided
from services.periodization.use_cases.compare_rules import compare_seasons
from shared.bus.routes import Accepted, Context, Incoming, Later, Rejected, RepliesLater
from shared.bus.rule_routes import Compare, both_rules, compared, keep
from shared.contract.words import PackKind
from shared.db.rule_store import Action, RuleShelf, StoredPack
from shared.messages.rule_packs import PackDecision, PackSent, RulesActivated, RulesTried
from shared.messages.validation import Problem
from shared.rules.authoring.difference import differences
from shared.rules.errors import MAX_MESSAGE, MAX_TOLD, MAX_TOLD_BYTES, RuleFileErrors
from shared.rules.model import Pack
from shared.rules.rule_texts import STORED

SERVICE: Final = "periodization"
ASKED: Final[dict[PackKind, tuple[str, ...]]] = {"sequencing": ("scheduling",), "recovery": ("load", "recovery")}
"""By kind of pack the services whose decisions it shapes, beside this one's."""
OWN: Final[dict[PackKind, Compare]] = {"deload": compare_seasons, "periodization": compare_seasons}


def decide(
    context: Context,
    incoming: Incoming[Any],
    shelf: RuleShelf,
    action: Action,
    kind: PackKind,
    sent: StoredPack | None,
) -> Accepted | Later:
    """Tries the decision on the tenant's athletes and, unless it is a dry run, makes it."""
    body, today = incoming.body, today_of(context)
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
        raise Rejected(file_problems("/version", errors)) from None
    after = both.after.pack(kind)
    active = "active" if decision.starts <= today else "scheduled"
    answer = {
        **identity(after, kind),
        "from": origin(after),
        "state": TRIED if body.dry_run else active,
        "starts": decision.starts.isoformat(),
        "differences": told(differences(both.before.pack(kind), after)),
    }
    plain = decision.model_dump(mode="json")
    context.emit("rules-tried", RulesTried.model_validate(plain).model_dump(mode="json"), None)
    own = compared(context, shelf, decision, OWN[kind], SERVICE) if kind in OWN else None
    if not body.dry_run:
        keep(shelf, decision)
        context.emit("rules-activated", RulesActivated.model_validate(plain).model_dump(mode="json"), None)
    address = context.reply_address() if isinstance(context, RepliesLater) else None
    if address is None or not isinstance(context, RepliesLater):
        return decided(answer)
    trials = Trials(context.db, context.tenant)
    trials.begin(incoming.id, context.now(), ASKED.get(kind, ()), answer, address)
    # The reply names athletes: it goes out once and is not kept with the command, as an immediate one would be.
    settled = trials.note(incoming.id, SERVICE, None if own is None else own.model_dump(mode="json"))
    if settled is not None:
        context.reply_late(settled.address, decided(settled.answer))
    return Later()


def before_latest(shelf: RuleShelf, kind: PackKind) -> StoredPack | None:
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


def file_problems(pointer: str, errors: RuleFileErrors) -> Sequence[Problem]:
    """One each, at most a few more than ``MAX_TOLD``; a last one says how many further mistakes there are."""
    return [Problem(pointer, errors.code, str(error)) for error in errors.errors]


def told(remarks: Sequence[object]) -> list[str]:
    """As sentences, no more than fit into an answer."""
    shown: list[str] = []
    left = MAX_TOLD_BYTES
    for one in map(str, remarks[:MAX_TOLD]):
        shown.append(one if len(one) <= MAX_MESSAGE else f"{one[:MAX_MESSAGE]} …")
        left -= len(shown[-1].encode())
        if left < 0:
            break
    return [*shown, f"and {len(remarks) - len(shown)} more"] if len(remarks) > len(shown) else shown


def identity(pack: Pack | SoundPack, kind: PackKind) -> dict[str, Any]:
    return {"pack": pack.id, "kind": kind, "version": pack.version, "hash": pack.hash[:12]}


def origin(pack: Pack) -> str:
    """``stored``, the tenant's ``file``, or the ``base``."""
    if pack.files and pack.files[-1].startswith(STORED):
        return "stored"
    return "base" if pack.id.startswith("base.") else "file"


def shelf_of(context: Context) -> RuleShelf:
    return RuleShelf(context.db, context.tenant)


def today_of(context: Context) -> date:
    """UTC, as rule files are effective by it too: a tenant's athletes live in many zones."""
    return context.now().astimezone(UTC).date()
