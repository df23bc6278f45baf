"""Trials whose sender waits for what other services say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.periodization.store import TrialRow
from shared.bus.routes import APPLIED, DRY_RUN, Accepted, Context, RepliesLater

SETTLE_AFTER: Final = timedelta(seconds=10)
"""A service that is down must not keep a coach waiting; the answer then names it."""
SELF: Final = "periodization"
TRIED: Final = "tried"
"""The state after a dry run."""


@dataclass(frozen=True, slots=True)
class Settled:
    answer: dict[str, Any]
    address: dict[str, str]


class Trials:
    def __init__(self, db: Session, tenant: str) -> None:
        self._db = db
        self._tenant = tenant

    def begin(
        self, trial: str, now: datetime, asked: Sequence[str], answer: Mapping[str, Any], address: Mapping[str, str]
    ) -> None:
        """``asked``: the services that have to speak, beside this one."""
        self._db.add(
            TrialRow(
                tenant=self._tenant,
                trial=trial,
                asked_at=now,
                wanted=sorted({SELF, *asked}),
                answer=dict(answer),
                comparisons={},
                reply_address=dict(address),
            )
        )
        self._db.flush()

    def note(self, trial: str, service: str, said: Mapping[str, Any] | None) -> Settled | None:
        """Keeps what a service says (None: it has nothing to compare); the answer when all have spoken."""
        row: TrialRow | None = self._db.get(TrialRow, (self._tenant, trial), with_for_update=True)
        if row is None:
            return None
        row.comparisons = {**row.comparisons, service: None if said is None else dict(said)}
        self._db.flush()
        return self._settle(row) if set(row.comparisons) >= set(row.wanted) else None

    def settle_before(self, asked_before: datetime) -> list[Settled]:
        rows = self._db.scalars(
            select(TrialRow)
            .where(TrialRow.tenant == self._tenant, TrialRow.asked_at < asked_before)
            .with_for_update(skip_locked=True)
        )
        return [self._settle(row) for row in rows.all()]

    def forget_athlete(self, athlete: str) -> None:
        """Whoever waits for a trial hears nothing of somebody erased meanwhile."""
        for row in self._db.scalars(select(TrialRow).where(TrialRow.tenant == self._tenant).with_for_update()):
            row.comparisons = {
                service: said and {**said, "changes": [one for one in said["changes"] if one["athlete"] != athlete]}
                for service, said in row.comparisons.items()
            }

    def _settle(self, row: TrialRow) -> Settled:
        comparisons = {service: said for service, said in sorted(row.comparisons.items()) if said is not None}
        answer = {
            **row.answer,
            "athletes": {service: said["athletes"] for service, said in comparisons.items()},
            "athletes_of": {service: said.get("athletes_of") for service, said in comparisons.items()},
            "changes": [
                {"service": service, **change} for service, said in comparisons.items() for change in said["changes"]
            ],
            "changes_left_out": sum(said["left_out"] for said in comparisons.values()),
            "problems": [f"{service}: {said['problem']}" for service, said in comparisons.items() if said["problem"]],
            "not_heard": sorted(set(row.wanted) - set(row.comparisons)),
        }
        address = dict(row.reply_address)
        self._db.delete(row)
        self._db.flush()
        return Settled(answer, address)


def decided(answer: Mapping[str, Any]) -> Accepted:
    return Accepted(DRY_RUN if answer["state"] == TRIED else APPLIED, answer)


def settle_trials(context: Context) -> None:
    """Answers those who wait for a service that does not say anything."""
    for settled in Trials(context.db, context.tenant).settle_before(context.now() - SETTLE_AFTER):
        if isinstance(context, RepliesLater):
            context.reply_late(settled.address, decided(settled.answer))
