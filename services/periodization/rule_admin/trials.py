"""Trials whose sender waits for what other services say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.periodization.store import TrialRow

SETTLE_AFTER: Final = timedelta(seconds=10)
"""A service that is down must not keep a coach waiting; the answer then names it."""
SELF: Final = "periodization"


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
                heard={},
                reply_address=dict(address),
            )
        )
        self._db.flush()

    def hear(self, trial: str, service: str, told: Mapping[str, Any] | None) -> Settled | None:
        """Keeps what a service says (None: it has nothing to compare); the answer when all have spoken."""
        row: TrialRow | None = self._db.get(TrialRow, (self._tenant, trial), with_for_update=True)
        if row is None:
            return None
        row.heard = {**row.heard, service: None if told is None else dict(told)}
        self._db.flush()
        return self._settle(row) if set(row.heard) >= set(row.wanted) else None

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
            row.heard = {
                service: told and {**told, "changes": [one for one in told["changes"] if one["athlete"] != athlete]}
                for service, told in row.heard.items()
            }

    def _settle(self, row: TrialRow) -> Settled:
        heard = {service: told for service, told in sorted(row.heard.items()) if told is not None}
        answer = {
            **row.answer,
            "athletes": {service: told["athletes"] for service, told in heard.items()},
            "athletes_of": {service: told.get("athletes_of") for service, told in heard.items()},
            "changes": [
                {"service": service, **change} for service, told in heard.items() for change in told["changes"]
            ],
            "changes_left_out": sum(told["left_out"] for told in heard.values()),
            "problems": [f"{service}: {told['problem']}" for service, told in heard.items() if told["problem"]],
            "not_heard": sorted(set(row.wanted) - set(row.heard)),
        }
        address = dict(row.reply_address)
        self._db.delete(row)
        self._db.flush()
        return Settled(answer, address)
