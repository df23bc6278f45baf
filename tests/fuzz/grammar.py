"""Hypothesis strategies for rule files: random bytes, shipped packs with slips, and packs grown from the grammar."""

from pathlib import Path
from typing import get_args

from hypothesis import strategies as st

from shared.contract.words import Level, PackKind, Phase, Priority
from shared.rules.model import Shape
from shared.rules.reading.header import DIALECT
from shared.rules.reading.outcome_values import OUTCOME_VALUES
from shared.rules.reading.session_classes import CLASS_FIELDS
from shared.rules.vocabulary import BUILTIN_WORDS, FEATURES, OUTCOMES_OF_PACK, SHAPE_OF_PACK, features_of
from tandem.offline.shipped_rules import shipped_rules

SHIPPED = {path.stem: path.read_text(encoding="utf-8") for path in sorted((shipped_rules() / "base").glob("*.yaml"))}
KINDS: tuple[PackKind, ...] = get_args(PackKind)

BITS = st.sampled_from(
    ["{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "'", '"', "#", "&a ", "*a", "!!int ", "!x ", "|", ">", "%", "@",
     "\t", ",", "? ", "---\n", "...\n", "~", "null", "true", "1e400", "-0", ".inf", ".nan", "\u2028", "\x85", "\x00",
     "<<: ", "for: at least 3 days", "any: []", "not: ", "less than", "24 h", "between 3 and 1", "0x1F", "ünï",
     "\ufeff", "=", "`", "\r", "\\", "\\x", "\U0001f3c3", "9" * 40, "-" * 200, "[" * 60, "{a: " * 40, "a" * 600, "off",
     "no", "2026-11-01", "12:30", "1_000", "{}", "[]", "''", "%YAML 1.1\n", "%TAG ! x\n", "? [a]\n: b\n", "&a [*a, *a]"]
)  # fmt: skip
WORDS = st.sampled_from(
    [*BUILTIN_WORDS, *FEATURES, *CLASS_FIELDS, *get_args(Priority), *get_args(Level), *get_args(Phase), "heavy lower",
     "nonsense", "true", "violates", "fires", "off", "because"]
)  # fmt: skip
AMOUNTS = st.one_of(
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["less than", "more than", "at least", "at most", "exactly", "under", "about", ""]),
        st.one_of(st.integers(-200, 200), st.floats(-1e6, 1e6), st.sampled_from(["1e9", "--1", "0x1F", "９"])),
        st.sampled_from(["h", "min", "days", "weeks", "%", "kg", "", "furlongs"]),
    ),
    st.builds("between {} and {}".format, st.integers(-50, 50), st.integers(-50, 50)),
)
SCALARS = st.one_of(
    AMOUNTS, WORDS, BITS.map(repr), st.integers(-9, 10**20).map(str), st.booleans().map(lambda flag: str(flag).lower())
)


def table(names: st.SearchStrategy[str], values: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[str]:
    """A flow mapping as text; names may repeat, as slips do."""
    pairs = st.lists(st.tuples(names, values), max_size=most)
    return pairs.map(lambda found: "{" + ", ".join(f"{name}: {value}" for name, value in found) + "}")


def listed(values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=most).map(lambda found: "[" + ", ".join(found) + "]")


CLASSES = st.recursive(
    st.one_of(WORDS, table(st.sampled_from(CLASS_FIELDS), SCALARS)),
    lambda inner: st.one_of(listed(inner), inner.map(lambda one: f"{{any: [{one}]}}")),
    max_leaves=4,
)


def features(shape: Shape) -> st.SearchStrategy[str]:
    names = st.sampled_from([*features_of(shape), "for", "nonsense"])
    return table(names, st.one_of(SCALARS, listed(SCALARS))).map(lambda found: f"{{{shape}: {found}}}")


PAIRS = st.builds(
    "{{first: {}, then: {}, gap: {}, same day: {}, either order: {}}}".format,
    CLASSES, CLASSES, AMOUNTS, st.sampled_from(["true", "false", "yes"]), st.sampled_from(["true", "false", "1"]),
)  # fmt: skip
CONDITIONS = st.recursive(
    st.one_of(PAIRS, features("week"), features("athlete"), features("season"), SCALARS),
    lambda inner: st.one_of(
        st.builds("{{any: {}}}".format, listed(inner)),
        st.builds("{{all: {}}}".format, listed(inner)),
        st.builds("{{not: {}}}".format, inner),
    ),
    max_leaves=8,
)
EXAMPLES = st.one_of(
    st.builds("{{name: {}, first: {}, then: {}, gap_hours: {}, expect: {}}}".format, WORDS, CLASSES, CLASSES, SCALARS,
              st.sampled_from(["violates", "ok", "fires"])),
    st.builds("{{name: {}, athlete: {}, held: {}, expect: {}}}".format, WORDS,
              table(st.sampled_from(features_of("athlete")), SCALARS),
              table(st.sampled_from(features_of("athlete")), SCALARS), st.sampled_from(["fires", "silent"])),
    st.builds("{{name: {}, week: {}, expect: {}}}".format, WORDS,
              table(st.sampled_from(features_of("week")), SCALARS), st.sampled_from(["fires", "silent", "ok"])),
)  # fmt: skip
OUTCOME = st.one_of(
    st.sampled_from(["forbid: true", "allow: true"]),
    st.sampled_from(sorted(OUTCOME_VALUES)).flatmap(
        lambda outcome: table(st.sampled_from(list(OUTCOME_VALUES[outcome])), SCALARS).map(
            lambda payload: f"{outcome}: {payload}"
        )
    ),
    table(WORDS, SCALARS).map(lambda payload: f"require: {payload}"),
)
MAY = st.sampled_from(["severity: hard", "severity: soft", "penalty: 20", "mode: watch", "locked: true", "off: true"])


@st.composite
def rules(draw: st.DrawFn) -> str:
    """One rule, most of the time nearly right."""
    extra = draw(st.lists(MAY, max_size=2))
    lines = [
        f"id: {draw(st.sampled_from(['gap', 'easy-share', 'A', 'lift-run-gap', '9']))}",
        f"title: {draw(WORDS)}",
        f"when: {draw(CONDITIONS)}",
        *([f"unless: {draw(CONDITIONS)}"] if draw(st.booleans()) else []),
        draw(OUTCOME),
        f"because: {draw(WORDS)}",
        f"examples: {draw(listed(EXAMPLES))}",
        *extra,
    ]
    return "  - " + "\n    ".join(lines)


@st.composite
def grown(draw: st.DrawFn) -> str:
    """A base pack from the grammar."""
    kind = draw(st.sampled_from(KINDS))
    words = draw(table(st.sampled_from(["heavy lower", "any run", "hard run", "loop"]), CLASSES))
    settings = draw(
        table(
            st.sampled_from(["easy_share", "day_opens", "taper_days", "x"]),
            table(st.sampled_from(["value", "unit", "allowed", "because"]), SCALARS),
        )
    )
    header = f'dialect: {DIALECT}\nkind: {kind}\nid: base.{kind}\nversion: "1.0.0"\n'
    body = "\n".join(draw(st.lists(rules(), max_size=4)))
    return f"{header}words: {words}\nsettings: {settings}\nrules:\n{body}\n"


@st.composite
def tenants(draw: st.DrawFn) -> tuple[str, str]:
    """A shipped pack's kind and a tenant's pack over it."""
    kind = draw(st.sampled_from(sorted(SHIPPED)))
    ids = [line.split("id: ")[1].strip() for line in SHIPPED[kind].split("\n") if line.startswith("  - id: ")]
    change = st.one_of(
        table(st.sampled_from(["severity", "penalty", "off", "because", "mode", "title"]), SCALARS),
        st.builds("{{when: {}, because: x}}".format, CONDITIONS),
        SCALARS,
    )
    override = draw(table(st.sampled_from([*ids, "nobody"]), change))
    text = f'id: acme.{kind}\nversion: "1.0.0"\nextends: base.{kind}@1\noverride: {override}\n'
    if draw(st.booleans()):
        text += "rules:\n" + draw(rules()) + "\n"
    return kind, text


def with_slips(text: str, slips: list[tuple[int, int, str]]) -> str:
    """``text`` with pieces cut out and others put in; a slip of length 999 doubles a line instead."""
    for at, length, bit in slips:
        at %= len(text) + 1
        if length == 999:
            line = text[at:].split("\n", 1)[0]
            text = text[:at] + line + "\n" + text[at:]
        else:
            text = text[:at] + bit + text[at + length :]
    return text


SLIPS = st.lists(
    st.tuples(st.integers(0, 40_000), st.one_of(st.integers(0, 40), st.just(999)), st.one_of(BITS, SCALARS)),
    min_size=1,
    max_size=5,
)
assert set(OUTCOMES_OF_PACK) == set(SHAPE_OF_PACK) == set(KINDS)
assert Path(shipped_rules() / "base").is_dir()
