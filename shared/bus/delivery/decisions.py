"""Which of a handler's outcomes are decisions: those that name the rules behind them in ``decided_by``."""

from collections.abc import Iterable

from shared.bus.delivery.unit_of_work import EmittedEvent
from shared.bus.routes import Accepted, Answered

_NAMES_ITS_RULES = "decided_by"


def decisions_in(
    emitted: Iterable[EmittedEvent], key: str = "", outcome: Accepted | Answered | None = None
) -> list[str]:
    """Names of the decisions: of events such as ``week-planned``, and of an answered query such as ``check-week``."""
    names = [event.name for event in emitted if _NAMES_ITS_RULES in event.data]
    if isinstance(outcome, Answered) and _NAMES_ITS_RULES in outcome.data:
        names.append(key.rpartition(".")[2])
    return names
