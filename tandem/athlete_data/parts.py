"""Which rows of which table are about an athlete, and what each table means to somebody who reads them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Select, String, Table, cast, or_, select

from shared.bus.operations.erase_from_queues import digests_of

MEANING = {
    "load.athletes": "who the athlete is, and which figures were told last",
    "load.sessions": "done sessions as they were sent, with what they cost (AU); removed ones as a mark",
    "load.marked_days": "days marked as rest, sick, travel or unknown",
    "recovery.athletes": "who the athlete is, and what was told last",
    "recovery.mornings": "morning measures, each with the time and the id of the message that brought it",
    "recovery.load_days": "each day's load ratios, as the load service told them",
    "recovery.done_sessions": "what done sessions say about effort and strength",
    "recovery.planned_weeks": "planned weeks, as the scheduling service told them",
    "periodization.athletes": "who the athlete is",
    "periodization.season_choices": "goals, season start and weekly template",
    "periodization.seasons": "when the season was asked for and planned last",
    "periodization.coach_deloads": "deloads that a coach decided, with the reason",
    "periodization.athlete_days": "what other services said of each day",
    "periodization.told_weeks": "fingerprints of the weeks that were told",
    "periodization.told_deloads": "deloads that were told",
    "scheduling.athletes": "who the athlete is, when there is time to train, which weeks the season has",
    "scheduling.week_targets": "the season's weeks with their sessions, as the periodization service told them",
    "scheduling.week_requests": "weeks that somebody asked to be planned",
    "scheduling.moves": "sessions that somebody moved",
    "scheduling.overrides": "hard rules broken on purpose: by whom and why",
    "scheduling.done_sessions": "done sessions, as the load service told them",
    "scheduling.plans": "planned weeks",
    "scheduling.gates": "what each day's readiness made of its sessions",
    "inbox": "messages about the athlete that were taken: their ids, a hash of their bodies, and the replies",
    "outbox": "events about the athlete that the broker has not confirmed yet",
    "erasures": "that somebody with this id was erased before: a hash of the id, and when",
    "erase_confirmations": "an erase under way: a hash of the id, and who has confirmed",
    "rule_packs": "rule packs whose author, reason or text names the athlete",
    "rule_activations": "decisions about rule packs whose author or reason names the athlete",
    "rule_trials": "a coach's trial of rules that waits for its answer and names the athlete",
}
"""By ``service.table``, or by table where every service has the same one."""

NAMES_NOBODY = {
    "tenants": "which tenants the service knows",
    "parked_audit": "who replayed or dropped which parked message: its id and key",
    "rule_revisions": "counts changes of rules",
    "rule_kept_files": "names of the operators' rule files",
    "rule_kept_texts": "texts of the operators' rule files",
}
"""Tables of which no row is about an athlete."""

_MENTIONS = {
    "rule_packs": ("author", "reason", "text"),
    "rule_activations": ("author", "reason"),
    "rule_trials": ("answer", "heard"),
}
"""Free text that may name an athlete in passing; these rows belong to the tenant."""

_HASHED = ("athlete_digest", "athlete_hash")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table. ``held``: they are data of the athlete; others only mention it, or remember an erase."""

    table: Table
    about: str
    query: Select[Any]
    held: bool
    keeps: Callable[[Any], bool]


class UnexplainedTable(LookupError):
    """A table nobody has said of whether it is about athletes."""


def parts_of(service: str, metadata: MetaData, tenant: str, athlete: str) -> Iterator[Part]:
    """Every table of a service that can say something about the athlete, by name; raises UnexplainedTable."""
    for name, table in sorted(metadata.tables.items()):
        if name in NAMES_NOBODY:
            continue
        about = MEANING.get(f"{service}.{name}") or MEANING.get(name)
        if about is None:
            raise UnexplainedTable(f"{service}.{name}: say in tandem/athlete_data/parts.py what it holds of athletes")
        yield _part(table, about, tenant, athlete)


def _part(table: Table, about: str, tenant: str, athlete: str) -> Part:
    whole = select(table).where(table.c.tenant == tenant).order_by(*table.primary_key)
    if "athlete" in table.c:
        return Part(table, about, whole.where(table.c.athlete == athlete), True, lambda _row: True)
    hashed = next((name for name in _HASHED if name in table.c), None)
    if hashed is not None:
        by_hash = whole.where(table.c[hashed].in_(digests_of(tenant, athlete)))
        return Part(table, about, by_hash, False, lambda _row: True)
    columns = _MENTIONS.get(table.name)
    if columns is None:
        raise UnexplainedTable(f"{table.name} has no column that says whose its rows are")
    named = or_(*(cast(table.c[one], String).contains(athlete, autoescape=True) for one in columns))
    # The database finds the letters, also inside another athlete's longer id.
    alone = re.compile(rf"(?<![A-Za-z0-9_.:-]){re.escape(athlete)}(?![A-Za-z0-9_:-])")
    return Part(
        table, about, whole.where(named), False, lambda row: any(alone.search(str(row[one])) for one in columns)
    )
