"""Small rule files for the tests of the loader, with places that can be counted by eye."""

from collections.abc import Mapping
from textwrap import dedent, indent

from shared.contract.words import PackKind
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.model import Pack
from shared.rules.reading.loader import Loaded, load_texts
from shared.rules.rule_texts import RuleText

HEADER = """\
dialect: tandem-rules/1
kind: {kind}
id: base.{kind}
version: "1.2.3"
"""

GAP_RULE = """\
- id: gap
  title: Six hours between a lift and a run
  severity: hard
  when: {first: any lift, then: any run, gap: less than 6 h, either order: true}
  forbid: true
  because: The lift suffers.
  examples:
    - name: five hours
      first: {kind: lift, region: lower, effort: heavy, end: Mon 08:00}
      then: {kind: run, type: easy, duration: 40 min, start: Mon 13:00}
      expect: violates
"""

DELOAD_RULE = """\
- id: planned
  title: Every fourth week
  when: {athlete: {weeks_since_deload: at least 3}}
  deload: {sets: -45 %, for: 7 days}
  because: It prevents overreaching.
  examples:
    - {name: three weeks, athlete: {weeks_since_deload: 3}, expect: fires}
"""


def pack_text(rules: str = GAP_RULE, kind: str = "sequencing", before_rules: str = "") -> str:
    """A base pack; the header has 4 lines, so with nothing before the rules the first rule stands in line 6."""
    return HEADER.format(kind=kind) + dedent(before_rules) + "rules:\n" + indent(dedent(rules), "  ")


def load_text(text: str | bytes, tenant: str | None = None) -> Loaded:
    raw = text if isinstance(text, bytes) else text.encode()
    over = [] if tenant is None else [RuleText("tenant.yaml", tenant.encode())]
    return load_texts([RuleText("pack.yaml", raw)], over)


def only_pack(text: str, tenant: str | None = None) -> Pack:
    packs: Mapping[PackKind, Pack] = load_text(text, tenant).packs
    assert len(packs) == 1
    return next(iter(packs.values()))


def mistakes_of(text: str | bytes, tenant: str | None = None) -> tuple[RuleFileError, ...]:
    """What is wrong with it; an empty tuple when nothing is."""
    try:
        load_text(text, tenant)
    except RuleFileErrors as refused:
        return refused.errors
    return ()
