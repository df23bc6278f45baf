"""How a service hears of rule packs that came over the bus: it keeps what is in force, and says what a trial changes.

The periodization service answers ``rules.*``; the others take its events by these routes.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from shared.bus.routes import Context, Incoming, Route
from shared.contract.words import PackKind
from shared.db.rule_store import RuleShelf, StoredActivation, StoredPack
from shared.messages.rule_packs import (
    MAX_CHANGES_REPORTED,
    DecisionChanged,
    PackDecision,
    PackSent,
    RulesActivated,
    RulesCompared,
    RulesTried,
)
from shared.rules.errors import RuleFileErrors
from shared.rules.lifecycle.dry_run import BothRules, Triable, with_stored

COMPARED = "rules-compared"


MAX_ATHLETES: Final = 50
"""Enough to see what a rule does."""
TRIAL_S: Final = 2.0
"""A trial must not hold up the service's other messages: after this it says how far it came."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sets of rules decide otherwise for the athletes looked at, which are so many ``of`` the tenant's."""

    athletes: int
    changes: Sequence[DecisionChanged]
    of: int


Compare = Callable[[Context, BothRules], Comparison]


def compare_each(
    athletes: Sequence[str],
    changes_for: Callable[[str], Sequence[DecisionChanged] | None],
    clock: Callable[[], float] = time.monotonic,
) -> Comparison:
    """One athlete after the other as long as there is time; between two, others' messages have their turn.

    ``changes_for``: None when the athlete has nothing that could be compared.
    """
    until = clock() + TRIAL_S
    changes: list[DecisionChanged] = []
    looked_at = nothing = 0
    for athlete in athletes:
        changed = changes_for(athlete)
        if changed is None:
            nothing += 1
        else:
            looked_at += 1
            changes += changed
        if looked_at == MAX_ATHLETES or clock() >= until:
            break
        time.sleep(0)
    return Comparison(looked_at, changes, len(athletes) - nothing)


def rule_routes(service: str, compare: Mapping[PackKind, Compare]) -> tuple[Route, ...]:
    """``compare``: by kind of pack how this service's decisions are made again under other rules."""

    def on_rules_activated(context: Context, incoming: Incoming[RulesActivated]) -> None:
        keep(RuleShelf(context.db, context.tenant), incoming.body)

    def on_rules_tried(context: Context, incoming: Incoming[RulesTried]) -> None:
        chosen = compare.get(incoming.body.kind)
        if chosen is None:
            return
        shelf = RuleShelf(context.db, context.tenant)
        comparison = compared(context, shelf, incoming.body, chosen, service)
        context.emit(COMPARED, comparison.model_dump(mode="json"), None)

    return (
        Route("event", "periodization.rules-activated", RulesActivated, on_rules_activated, replies=False),
        Route("event", "periodization.rules-tried", RulesTried, on_rules_tried, replies=False),
    )


def keep(shelf: RuleShelf, decision: PackDecision) -> None:
    """Keeps what is decided; the same again changes nothing, and the order does not matter."""
    if decision.sent is not None:
        shelf.put(StoredPack(**{name: getattr(decision.sent, name) for name in PackSent.model_fields}))
    shelf.activate(
        StoredActivation(
            number=decision.number,
            action=decision.action,
            kind=decision.kind,
            pack=decision.pack,
            version=None if decision.sent is None else decision.sent.version,
            starts=decision.starts,
            author=decision.author,
            reason=decision.reason,
            at=decision.at,
            message_id=decision.message,
        )
    )


def compared(
    context: Context, shelf: RuleShelf, decision: PackDecision, compare: Compare, service: str
) -> RulesCompared:
    """This service's decisions under the rules before the decision and with it."""
    try:
        both = both_rules(context, shelf, decision)
    except RuleFileErrors as errors:
        return RulesCompared(
            message=decision.message, service=service, athletes=0, changes=[], problem=str(errors.errors[0])
        )
    comparison = compare(context, both)
    return RulesCompared(
        message=decision.message,
        service=service,
        athletes=comparison.athletes,
        athletes_of=comparison.of,
        changes=list(comparison.changes[:MAX_CHANGES_REPORTED]),
        left_out=max(0, len(comparison.changes) - MAX_CHANGES_REPORTED),
    )


def both_rules(context: Context, shelf: RuleShelf, decision: PackDecision) -> BothRules:
    """Raises ``RuleFileErrors``: the pack does not go with the files that this service has."""
    rules = cast(Triable, context.rules)
    before = shelf.texts(decision.starts, before=decision.number)
    after = {kind: text for kind, text in before.items() if kind != decision.kind}
    if decision.sent is not None:
        sent = StoredPack(**{name: getattr(decision.sent, name) for name in PackSent.model_fields})
        after[decision.kind] = sent.as_text(context.tenant)
    return BothRules(with_stored(rules, before, decision.starts), with_stored(rules, after, decision.starts))


def changes_of(athlete: str, differing: Iterable[tuple[str, str]]) -> list[DecisionChanged]:
    return [DecisionChanged(athlete=athlete, about=about, sentence=sentence) for about, sentence in differing]
