"""``/rules``: what a process decides by, with the tenants' names for those only who are on its machine.

The address is meant for Prometheus and probes and asks for no password, so in a container it is open to a network.
Who trains with this platform is nobody's business there: from elsewhere it tells the base, how many tenants have packs
of their own and one hash over them all, which is what it takes to see whether replicas agree.
"""

from typing import Any, Protocol

from shared.ops.health import Asker, Document


class RuleStatus(Protocol):
    def summary(self) -> dict[str, Any]: ...

    def status(self, only: str | None = None) -> dict[str, Any]: ...


def rules_page(book: RuleStatus) -> Document:
    """``?tenant=acme`` tells of one tenant and the base."""

    def page(asker: Asker) -> dict[str, Any]:
        return book.status(asker.query.get("tenant")) if asker.here else book.summary()

    return page
