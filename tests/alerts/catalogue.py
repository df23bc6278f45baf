"""Every alert that is shipped, and what proves it."""

from tests.alerts import of_messages, of_rules, of_services
from tests.alerts.proof import Proof

PROOFS: tuple[Proof, ...] = (*of_services.PROOFS, *of_messages.PROOFS, *of_rules.PROOFS)
