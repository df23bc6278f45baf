"""A tenant's pack over the base: field by field, with a reason, never over a locked rule."""

from datetime import date

import pytest

from shared.rules.errors import RuleFileErrors
from shared.rules.reading.loader import load_texts
from shared.rules.rule_texts import RuleText
from tests.unit.shared.rules.rule_texts import DELOAD_RULE, GAP_RULE, load_text, mistakes_of, only_pack, pack_text

HEADER = 'id: acme.sequencing\nversion: "1.4.0"\nextends: base.sequencing@1\n'
EIGHT = HEADER + "override:\n  gap: {when: {gap: less than 8 h}, because: athletes commute}\n"


def test_one_field_changes_and_the_rest_stays() -> None:
    base, tenant = only_pack(pack_text()), only_pack(pack_text(), EIGHT)
    rule = tenant.rules[0]
    assert (tenant.id, tenant.version, tenant.kind) == ("acme.sequencing", "1.4.0", "sequencing")
    assert rule.limit == {"gap_hours": 8.0}
    assert rule.because == "athletes commute"
    assert rule.title == base.rules[0].title
    assert rule.severity == "hard"
    assert tenant.files == ("pack.yaml", "tenant.yaml")


def test_the_hash_is_of_the_content_wherever_it_stands() -> None:
    assert only_pack(pack_text()).hash == only_pack("# a remark\n" + pack_text()).hash
    assert only_pack(pack_text()).hash != only_pack(pack_text(GAP_RULE.replace("suffers", "suffers much"))).hash
    assert only_pack(pack_text()).hash != only_pack(pack_text(), EIGHT).hash
    assert len(only_pack(pack_text()).hash) == 64


def test_a_rule_switched_off_is_gone() -> None:
    tenant = HEADER + "override:\n  gap: {off: true, because: we walk}\n"
    assert only_pack(pack_text(), tenant).rules == ()


def test_own_rules_join_the_base() -> None:
    own = GAP_RULE.replace("id: gap", "id: own").replace("\n", "\n  ").rstrip()
    assert [rule.id for rule in only_pack(pack_text(), HEADER + "rules:\n  " + own + "\n").rules] == ["gap", "own"]


def test_an_inherited_example_that_the_override_changes_is_reported_and_refuses_nothing() -> None:
    loaded = load_text(pack_text(), HEADER + "override:\n  gap: {when: {gap: less than 4 h}, because: we are tough}\n")
    (remark,) = loaded.remarks
    assert (remark.file, remark.line, remark.rule) == ("pack.yaml", 13, "gap")
    assert "expects 'violates', but the rule does not apply" in remark.message


def test_an_example_of_the_override_itself_must_hold() -> None:
    tenant = HEADER + (
        "override:\n"
        "  gap:\n"
        "    when: {gap: less than 4 h}\n"
        "    because: we are tough\n"
        "    examples:\n"
        "      - {name: five, first: {kind: lift}, then: {kind: run}, gap_hours: 5, expect: violates}\n"
    )
    (mistake,) = mistakes_of(pack_text(), tenant)
    assert (mistake.file, mistake.line, mistake.column) == ("tenant.yaml", 9, 9)


@pytest.mark.parametrize(
    ("tenant", "line", "column", "message"),
    [
        (HEADER + "override:\n  gpa: {off: true, because: x}\n", 5, 3,
         "the base has no rule 'gpa' to override; did you mean 'gap'?"),
        (HEADER + "override:\n  gap: {off: true}\n", 5, 8, "an override says why: add 'because'"),
        (HEADER + "override:\n  gap: {of: true, because: x}\n", 5, 9, "an override has no 'of'; did you mean 'off'?"),
        (HEADER + "override:\n  gap: {locked: false, because: x}\n", 5, 9, "an override has no 'locked'"),
        (HEADER.replace("@1", "@2"), 3, 10, "written for version 2 of base.sequencing, which is at 1.2.3"),
        (HEADER.replace("base.sequencing@1", "base.sequencin"), 3, 10,
         "there is no base pack 'base.sequencin'; did you mean 'base.sequencing'?"),
        (HEADER.replace("extends: base.sequencing@1\n", ""), 1, 1, "say what the pack changes"),
        (HEADER + "settings:\n  growth: {value: 1}\n", 5, 3, "the base has no setting 'growth'"),
    ],
)  # fmt: skip
def test_mistakes_in_a_tenants_pack(tenant: str, line: int, column: int, message: str) -> None:
    (mistake,) = mistakes_of(pack_text(), tenant)
    assert mistake.file == "tenant.yaml"
    assert (mistake.line, mistake.column) == (line, column), str(mistake)
    assert mistake.message.startswith(message)


def test_a_locked_rule_cannot_be_changed_only_told_otherwise() -> None:
    base = pack_text(GAP_RULE.replace("severity: hard", "severity: hard\n  locked: true"))
    told = HEADER + "override:\n  gap: {because: we say so}\n"
    assert only_pack(base, told).rules[0].because == "we say so"
    (mistake,) = mistakes_of(base, EIGHT)
    assert (mistake.line, mistake.column, mistake.rule) == (5, 9, "gap")
    assert mistake.message == "the rule is locked: 'when' cannot be changed"


def test_a_setting_is_overridden_within_what_the_base_allows() -> None:
    base = pack_text(DELOAD_RULE, "deload", "settings:\n  growth: {value: 6 %, allowed: between 0 and 0.2}\n")
    header = HEADER.replace("sequencing", "deload")
    assert only_pack(base, header + "settings:\n  growth: {value: 10 %}\n").settings["growth"].value == 0.1
    (mistake,) = mistakes_of(base, header + "settings:\n  growth: {value: 30 %}\n")
    assert (mistake.file, mistake.line, mistake.message) == (
        "tenant.yaml", 5, "'growth' is 0.3; allowed is between 0 and 0.2",
    )  # fmt: skip


def _dated(version: str, day: str | None) -> RuleText:
    effective = "" if day is None else f"effective: {{from: {day}}}\n"
    text = pack_text(before_rules=effective).replace('"1.2.3"', f'"{version}"')
    return RuleText(f"{version}.yaml", text.encode())


@pytest.mark.parametrize(
    ("on", "version"),
    [
        (date(2026, 10, 31), "1.0.0"),
        (date(2026, 11, 1), "1.1.0"),
        (date(2027, 1, 1), "1.2.0"),
        (None, "1.2.0"),
    ],
)
def test_the_pack_that_is_effective_on_the_day_counts(on: date | None, version: str) -> None:
    texts = [_dated("1.2.0", "2027-01-01"), _dated("1.0.0", None), _dated("1.1.0", "2026-11-01")]
    pack = load_texts(texts, on=on).packs["sequencing"]
    assert pack.version == version


def test_before_a_tenants_pack_is_effective_the_base_counts() -> None:
    tenant = RuleText("tenant.yaml", (EIGHT + "effective: {from: 2026-11-01}\n").encode())
    base = RuleText("pack.yaml", pack_text().encode())
    assert load_texts([base], [tenant], date(2026, 10, 31)).packs["sequencing"].id == "base.sequencing"
    assert load_texts([base], [tenant], date(2026, 11, 1)).packs["sequencing"].id == "acme.sequencing"


def test_two_packs_of_one_kind_for_one_day_are_a_mistake() -> None:
    with pytest.raises(RuleFileErrors, match="a second sequencing pack beside 1.0.0.yaml; keep one"):
        load_texts([_dated("1.0.0", None), _dated("1.1.0", None)])


@pytest.mark.parametrize("day", ["2026-02-30", "tomorrow", "2026-2-3"])
def test_an_effective_date_that_is_none(day: str) -> None:
    with pytest.raises(RuleFileErrors, match=f"pack.yaml:5:19: '{day}' is no date; write it as 2026-11-01"):
        load_texts([RuleText("pack.yaml", _dated("1.0.0", day).raw)])
