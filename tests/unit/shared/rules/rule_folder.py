"""A folder of rule files as an editor writes them, and a database of rules in memory: for tests of live rules."""

import os
from datetime import date
from pathlib import Path

from shared.rules.observer import Observer
from shared.rules.rule_texts import RuleText

PACK = """\
dialect: tandem-rules/1
kind: sequencing
id: base.sequencing
version: "{version}"
effective: {{from: {effective}}}
rules:
  - id: day-gap
    title: No long run within {hours} h of a lift
    severity: hard
    when: {{first: any lift, then: any run, gap: less than {hours} h}}
    forbid: true
    because: Legs are tired.
    source: {{ref: Coaching practice, strength: practice}}
    examples:
      - {{name: near, first: {{kind: lift}}, then: {{kind: run}}, gap_hours: 1, expect: violates}}
      - {{name: far, first: {{kind: lift}}, then: {{kind: run}}, gap_hours: 90, expect: ok}}
"""
TENANT = """\
dialect: tandem-rules/1
kind: sequencing
id: {tenant}.sequencing
version: "1.0.0"
extends: base.sequencing@1
override:
  day-gap: {{when: {{gap: less than {hours} h}}, because: Our athletes recover slowly.}}
"""
LIFT_RUN = {"first_kind": "lift", "then_kind": "run"}


class Seen(Observer):
    def __init__(self):
        self.reloads = []
        self.refusals = []
        self.waiting = []

    def reloaded(self, tenant, outcome, seconds):
        self.reloads.append((tenant, outcome))

    def behind(self, tenants):
        self.waiting.append(tenants)

    def refused(self, errors):
        self.refusals.append([error.line for error in errors])


class Files:
    """Writes rule files as an editor does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def base(
        self, hours: float = 24, version: str = "1.0.0", effective: str = "2026-01-01", name: str = "sequencing"
    ) -> None:
        self.write(f"base/{name}.yaml", PACK.format(hours=hours, version=version, effective=effective))

    def tenant(self, tenant: str, hours: float) -> None:
        self.write(f"tenants/{tenant}/sequencing.yaml", TENANT.format(tenant=tenant, hours=hours))

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_suffix(".new")
        new.write_text(text)
        os.replace(new, target)


class Stored:
    """A database in memory: tenant -> [(first day, text)]."""

    def __init__(self):
        self.kept = {}
        self.activated = {}
        self.numbers = {}

    def activate(self, tenant, hours, starts=date(2026, 1, 1)):
        text = TENANT.format(tenant=tenant, hours=hours).encode()
        self.activated.setdefault(tenant, []).append((starts, RuleText(f"stored/{tenant}/{hours}", text)))
        self.numbers[tenant] = self.numbers.get(tenant, 0) + 1

    def revisions(self):
        return dict(self.numbers)

    def texts(self, tenant, on):
        started = [text for starts, text in self.activated.get(tenant, []) if on is None or starts <= on]
        return tuple(started[-1:])

    def saved_tenants(self):
        return frozenset(tenant for tenant, texts in self.kept.items() if tenant and texts)

    def last_good(self, tenant):
        return self.kept.get(tenant)

    def save(self, in_force):
        self.kept.update(in_force)
        return True


def forbids(rules, gap_hours):
    return bool(rules.decide("sequencing", [{**LIFT_RUN, "gap_hours": gap_hours}])[0])


def threshold(rules):
    """The gap from which nothing is forbidden any more, in whole hours."""
    answers = rules.decide("sequencing", [{**LIFT_RUN, "gap_hours": float(hours)} for hours in range(80)])
    return sum(map(bool, answers))
