"""What tests of the contract share."""

from collections.abc import Iterator

import pytest

from shared.rules.evaluation.tenant_rules import TenantRules
from shared.rules.lifecycle.rule_book import open_rules
from tests.service_and_file import RULES


@pytest.fixture(scope="module")
def rules() -> Iterator[TenantRules]:
    """The shipped rules, decided by the reference evaluator."""
    with open_rules(RULES, evaluator="reference") as opened:
        yield opened
