"""Whatever stands in a rule file, the loader says so or loads it: no other exception, no hang."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.rules.errors import RuleFileErrors
from shared.rules.reading.loader import load_packs, load_texts
from shared.rules.rule_texts import RuleText
from tests.unit.shared.rules.rule_texts import DELOAD_RULE, GAP_RULE, pack_text

RULES = Path(__file__).parents[5] / "rules"
SOUND = pack_text(GAP_RULE, before_rules="words:\n  hard run: {any: [{kind: run, type: [tempo, race]}]}\n")
TENANT = (
    'id: acme.sequencing\nversion: "1.0.0"\nextends: base.sequencing@1\noverride:\n  gap: {penalty: 1, because: x}\n'
)
BITS = st.sampled_from(
    ["{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "'", '"', "#", "&a ", "*a", "!!int ", "|", ">", "%", "@", "\t",
     ",", "? ", "---\n", "...\n", "~", "null", "true", "1e400", "-0", ".inf", "\u2028", "\x85", "\x00", "<<: ", "gap",
     "when", "either order", "for: at least 3 days", "any: []", "not: ", "less than", "24 h", "0x1F", "ünï", "\ufeff",
     "=", "`"]
)  # fmt: skip
CUTS = st.tuples(st.integers(0, len(SOUND)), st.integers(0, 12), BITS)


def _loads_or_says_why(base: bytes, tenant: bytes | None = None) -> list[int]:
    """How many rules each pack has; none when it was refused with a reason."""
    began = time.monotonic()
    try:
        loaded = load_texts([RuleText("base.yaml", base)], [] if tenant is None else [RuleText("tenant.yaml", tenant)])
        return [len(pack.rules) for pack in loaded.packs.values()]
    except RuleFileErrors as refused:
        assert refused.errors
        for error in refused.errors:
            assert error.file in ("base.yaml", "tenant.yaml")
            assert error.line >= 1 and error.column >= 1
            assert error.message and "Traceback" not in error.message and "ruamel" not in error.message
        return []
    finally:
        assert time.monotonic() - began < 5.0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CUTS, min_size=1, max_size=4))
def test_cut_and_spliced_files(cuts: list[tuple[int, int, str]]) -> None:
    text = SOUND
    for at, length, bit in cuts:
        text = text[:at] + bit + text[at + length :]
    _loads_or_says_why(text.encode())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(TENANT)), st.integers(0, 8), BITS), min_size=1, max_size=3))
def test_cut_and_spliced_tenant_files(cuts: list[tuple[int, int, str]]) -> None:
    text = TENANT
    for at, length, bit in cuts:
        text = text[:at] + bit + text[at + length :]
    _loads_or_says_why(SOUND.encode(), text.encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    _loads_or_says_why(raw)


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-9, 99).map(str), BITS.map(repr), st.just("any run"), st.just("gap")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(map(str, items)) + "]"),
        st.dictionaries(
            st.sampled_from(
                ["first", "then", "gap", "kind", "any", "not", "all", "week", "athlete", "for", "runs", "name"]
            ),
            inner,
            max_size=3,
        ).map(lambda table: "{" + ", ".join(f"{name}: {value}" for name, value in table.items()) + "}"),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["when", "unless", "examples", "source", "severity", "forbid", "id", "title", "penalty"]), values
)
def test_any_value_in_any_place(field: str, value: object) -> None:
    lines = [line for line in GAP_RULE.split("\n") if not line.startswith((f"  {field}:", f"- {field}:"))]
    rule = f"- {field}: {value}\n" + "\n".join(f"  {line[2:]}" for line in lines)
    assert _loads_or_says_why(pack_text(rule).encode()) in ([], [1])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["when", "deload", "examples", "because"]), values)
def test_any_value_in_any_place_of_a_deload(field: str, value: object) -> None:
    lines = [line for line in DELOAD_RULE.split("\n") if not line.startswith((f"  {field}:", f"- {field}:"))]
    rule = f"- {field}: {value}\n" + "\n".join(f"  {line[2:]}" for line in lines)
    assert _loads_or_says_why(pack_text(rule, "deload").encode()) in ([], [1])


@pytest.mark.parametrize("tenant", ["../base", "ACME", "a/b", "", "a" * 41, "tenant\n"])
def test_a_tenant_id_is_never_a_path(tenant: str) -> None:
    with pytest.raises(RuleFileErrors, match="is no tenant id"):
        load_packs(RULES, tenant)


def test_a_folder_without_packs_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuleFileErrors, match="no rule files"):
        load_packs(tmp_path)
