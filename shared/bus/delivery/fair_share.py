"""Keeps one tenant's flood from holding up the others.

All tenants of a service share its queues, so whoever sends much stands in front of everybody. A tenant that has used up
its fair share of the service's time is throttled: its messages move, unread, to the service's queue for throttled ones
(``<service>.crowded``), which is worked off beside the others. A service with one tenant throttles nobody.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from shared.messages.envelope import Delivery


class Throttled:
    """Takes a reading's place: the delivery is moved to the queue for throttled ones, not handled."""


def sender_of(delivery: Delivery) -> str | None:
    """The tenant who may be charged for a delivery; None when nobody is vouched for."""
    tenant = delivery.routing_key.partition(".")[0]
    return tenant if delivery.source == "event" or delivery.user_id == tenant else None


class FairShares:
    """Seconds of handling each tenant may still use: ``share`` of every second, saved up to ``burst_s``.

    ``in_hand``: a tenant that has no more messages than this with the consumer waits for answers and floods nobody.
    """

    def __init__(
        self, share: float, in_hand: int, burst_s: float = 0.5, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._share = share
        self._in_hand = in_hand
        self._burst_s = burst_s
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}
        self._tenants: set[str] = set()

    def add_tenants(self, tenants: Iterable[str]) -> None:
        """These tenants use the service; nobody is throttled for others."""
        self._tenants.update(tenants)

    def over_share(self, in_hand: Mapping[str, int]) -> frozenset[str]:
        """Those who have used up their share and have more in hand, if there is anybody else to make room for."""
        if len(self._tenants) < 2:
            return frozenset()
        return frozenset(
            tenant for tenant, count in in_hand.items() if count > self._in_hand and self._balance(tenant) < 0
        )

    def charge(self, messages: Mapping[str, int], seconds: float) -> None:
        """``seconds`` went into so many messages of each tenant."""
        total = sum(messages.values())
        for tenant, count in messages.items():
            # Never deeper in debt than a burst: who stops over_share is soon an ordinary tenant again.
            left = max(self._balance(tenant) - seconds * count / total, -self._burst_s)
            self._left[tenant] = (left, self._now())

    def _balance(self, tenant: str) -> float:
        if tenant not in self._left:
            return self._burst_s
        left, since = self._left[tenant]
        return min(self._burst_s, left + (self._now() - since) * self._share)
