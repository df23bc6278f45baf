"""Each kind of mistake: one message, at its line and column, in a coach's words."""

import time

import pytest

from tests.unit.shared.rules.rule_texts import DELOAD_RULE, GAP_RULE, mistakes_of, pack_text


def _one(text: str | bytes) -> tuple[int, int, str]:
    mistakes = mistakes_of(text)
    assert len(mistakes) == 1, [str(mistake) for mistake in mistakes]
    return mistakes[0].line, mistakes[0].column, mistakes[0].message


def _with(old: str, new: str, rule: str = GAP_RULE) -> str:
    assert old in rule
    kind = "deload" if rule is DELOAD_RULE else "sequencing"
    return pack_text(rule.replace(old, new), kind)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        (_with("severity: hard", "severty: hard"), 8, 5, "a rule has no 'severty'; did you mean 'severity'?"),
        (_with("severity: hard", "severity: hrad"), 8, 15, "'severity' cannot be 'hrad'; did you mean 'hard'?"),
        (_with("any lift,", "any lft,"), 9, 19, "no such word 'any lft'; did you mean 'any lift'?"),
        (_with("6 h", "6 hrz"), 9, 49, "'gap': unknown unit 'hrz'; units are h, min, days"),
        (_with("less than 6 h", "less than 6"), 9, 49, "'gap': say in which unit, like '6 h'"),
        (_with("less than 6 h", "lesser than 6 h"), 9, 49, "'gap': 'lesser than 6 h' is not an amount; write it like"),
        (_with("less than 6 h", "less than 6 kg"), 9, 49, "'gap': 'kg' does not fit here; it is measured in h"),
        (_with("either order: true", "either order: yes"), 9, 78, "'either order' is true or false, not 'yes'"),
        (_with("then: any run, ", ""), 9, 11, "'then' is missing: which session is the then one?"),
        (_with("forbid: true", "forbd: true"), 10, 5, "a rule has no 'forbd'; did you mean 'forbid'?"),
        (_with("forbid: true", "unless: []\n  forbid: true"), 10, 13, "'unless' is empty; leave it out"),
        (_with("forbid: true", "forbid: false"), 10, 13, "write 'forbid: true', or leave the rule out"),
        (_with("  forbid: true\n", ""), 6, 5, "the rule asks for nothing; add 'forbid', 'allow' or 'require'"),
        (_with("  because: The lift suffers.\n", ""), 6, 5, "the rule has no 'because'; say why in a sentence"),
        (_with("violates", "violate"), 16, 17, "'expect' cannot be 'violate'; did you mean 'violates'?"),
        (_with("Mon 13:00", "Monday 1 pm"), 15, 64, "a time in an example is a weekday and a clock time"),
        (_with("type: easy", "type: easi"), 15, 33, "'type' cannot be 'easi'; did you mean 'easy'?"),
        (
            _with("weeks_since_deload: at", "weeks_since_delod: at", DELOAD_RULE),
            8, 22, "no feature 'weeks_since_delod'; did you mean 'weeks_since_deload'?",
        ),
        (
            _with("at least 3", "at least 3, for: about 3 days", DELOAD_RULE),
            8, 59, "'for': 'about 3 days' is not an amount",
        ),
        (_with("sets: -45 %", "sts: -45 %", DELOAD_RULE), 9, 14, "'deload' has no 'sts'; did you mean 'sets'?"),
        (_with("-45 %", "-45 %%", DELOAD_RULE), 9, 20, "'sets': unknown unit '%%'; units are h, min, days"),
        (
            _with("{athlete: {weeks_since_deload: at least 3}}", "{week: {runs: at least 3}}", DELOAD_RULE),
            8, 11, "a deload pack has no rules about 'week'; use 'athlete' or 'season'",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_told_once_at_its_place(text: str, line: int, column: int, message: str) -> None:
    at_line, at_column, told = _one(text)
    assert (at_line, at_column) == (line, column), told
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the file is empty; start with 'dialect: tandem-rules/1'"),
        ("# only a comment\n", 1, 1, "the file is empty"),
        ("just words\n", 1, 1, "a rule file is a table that starts with 'dialect: tandem-rules/1'"),
        ("- a\n- b\n", 1, 1, "a rule file is a table that starts with 'dialect: tandem-rules/1', not a list"),
        (b"\x00\x01\x02binary", 1, 1, "a control character (U+0000): this is not a text file"),
        (b"a: 1\nb: \xff\xfe\n", 2, 4, "this is not UTF-8 text: byte 0xff stands here; save the file as UTF-8"),
        ("a: [1, 2\nb: 3\n", 1, 4, "this bracket is never closed, or a comma is missing inside; it needs ']'"),
        ("a: {b: 1\nc: 2\n", 1, 4, "this bracket is never closed, or a comma is missing inside; it needs '}'"),
        ('a: "open\nb: 1\n', 1, 4, "this quote is never closed"),
        ("a:\n\t- b\n", 2, 1, "a tab; indent with spaces"),
        ("because: it says: no\n", 1, 17, "a second ': ' on this line; put quotes around a text that holds a colon"),
        ("a: 1\n  b: 2\n", 2, 4, "the indentation does not fit the lines above"),
        ("a: %x\n", 1, 4, "a text cannot start with '%'; put quotes around it"),
        ("a: &anchor 1\n", 1, 4, "'&' starts an anchor, which rule files do not have"),
        ("a: *alias\n", 1, 4, "'*' starts an alias, which rule files do not have"),
        ("a: !!python/object/apply:os.system [x]\n", 1, 4, "'!' starts the tag 'tag:yaml.org,2002:python/object"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document starts here ('---'); one rule file, one document"),
        ("[" * 100_000, 1, 33, "nested deeper than 32 levels"),
        ("- " * 50_000, 1, 65, "nested deeper than 32 levels"),
        ("a: " + "x" * (256 * 1024), 1, 1, "the file is larger than 256 KiB, which no rule file needs"),
    ],
)  # fmt: skip
def test_what_is_no_readable_rule_file_is_told_in_a_coachs_words(
    text: str | bytes, line: int, column: int, message: str
) -> None:
    began = time.monotonic()
    at_line, at_column, told = _one(text)
    assert time.monotonic() - began < 1.0
    assert (at_line, at_column) == (line, column), told
    assert told.startswith(message)


def test_a_billion_laughs_cost_nothing() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(50))
    first, *others = mistakes_of(bomb)
    assert (first.line, first.column) == (1, 4) and len(others) < 100


@pytest.mark.parametrize(
    ("header", "line", "column", "message"),
    [
        ("dialect: tandem-rules/2", 1, 10, "this is not a dialect known here; write 'tandem-rules/1'"),
        ("kind: sequenzing", 2, 7, "'kind' cannot be 'sequenzing'; did you mean 'sequencing'?"),
        ("version: 1.2", 4, 10, "'version' cannot be '1.2'; write three numbers in quotes, like \"1.0.0\""),
        ("id: Base Pack", 3, 5, "'id' cannot be 'Base Pack'; write small letters, digits, '.' and '-'"),
    ],
)
def test_a_mistake_in_the_header(header: str, line: int, column: int, message: str) -> None:
    name = header.split(":")[0]
    lines = [header if old.startswith(f"{name}:") else old for old in pack_text().split("\n")]
    assert _one("\n".join(lines)) == (line, column, message)


def test_every_mistake_is_told_at_once_in_file_order() -> None:
    text = pack_text(
        GAP_RULE.replace("severity: hard", "severity: hrad")
        .replace("any run", "any rnu")
        .replace("violates", "violets")
    )
    assert [(m.line, m.column) for m in mistakes_of(text)] == [(8, 15), (9, 35), (16, 17)]


def test_a_mistake_names_its_file_and_rule() -> None:
    mistake = mistakes_of(_with("6 h", "6 x"))[0]
    assert str(mistake).startswith("pack.yaml:9:49: rule gap: 'gap': unknown unit 'x'")


def test_a_comma_inside_braces_is_explained() -> None:
    text = _with(
        "  because: The lift suffers.\n", "  because: x\n  source: {ref: 000, Doma 2013, strength: moderate}\n"
    )
    line, column, message = _one(text)
    assert (line, column) == (12, 24)
    assert message.startswith("'Doma 2013' stands alone: inside braces a comma ends the value before it")


def test_doubled_names_rules_and_examples_are_refused() -> None:
    assert _one(_with("  forbid: true\n", "  forbid: true\n  forbid: true\n")) == (
        11, 5, "'forbid' is already given on line 10; keep one",
    )  # fmt: skip
    line, column, message = _one(pack_text(GAP_RULE + GAP_RULE))
    assert (line, column) == (17, 5)
    assert message == "a second rule 'gap'; the first is at pack.yaml:6"


def test_a_tag_of_another_kind_is_explained() -> None:
    line, column, message = _one(_with("any lift", "{kind: lift, type: easy}"))
    assert (line, column, message) == (9, 38, "'type' belongs to kind run, not to lift")


def test_a_word_that_explains_itself_is_refused() -> None:
    text = pack_text(GAP_RULE.replace("any lift", "a"), before_rules="words:\n  a: b\n  b: a\n")
    assert any("is explained by itself" in mistake.message for mistake in mistakes_of(text))


def test_a_builtin_word_cannot_be_redefined() -> None:
    text = pack_text(before_rules="words:\n  any run: {kind: lift}\n")
    assert _one(text) == (6, 12, "'any run' is a word of the dialect; choose another name")


def test_an_example_that_no_longer_holds_refuses_the_pack_and_says_how_to_mend_it() -> None:
    line, column, message = _one(_with("less than 6 h", "less than 5 h"))
    assert (line, column) == (13, 9)
    assert message == (
        "the example 'five hours' expects 'violates', but the rule does not apply "
        "(gap 5 h, needs less than 5 h); mend the rule, or write 'expect: ok'"
    )


def test_an_example_that_cannot_be_decided_says_what_is_missing() -> None:
    message = _one(_with(", end: Mon 08:00", ""))[2]
    assert message == "the example 'five hours' cannot be decided without 'gap_hours'; say in the example what it is"


def test_budgets_on_rules_and_words() -> None:
    rules = "".join(GAP_RULE.replace("id: gap", f"id: gap-{i}") for i in range(201))
    assert _one(pack_text(rules))[2] == "201 rules; a pack has at most 200"
    words = "words:\n" + "".join(f"  word {i}: {{kind: run}}\n" for i in range(201))
    assert _one(pack_text(before_rules=words))[2] == "201 words; a pack has at most 200"


def test_a_setting_outside_what_is_allowed() -> None:
    text = pack_text(
        DELOAD_RULE, "deload", "settings:\n  growth: {value: 60 %, allowed: between 0 and 0.2, because: gently}\n"
    )
    assert _one(text) == (6, 19, "'growth' is 0.6; allowed is between 0 and 0.2")


def test_words_that_other_yaml_versions_turn_into_flags_stay_words() -> None:
    text = pack_text(before_rules="words:\n  no: {kind: run}\n  off: {kind: lift}\n").replace("any run", "no", 1)
    assert mistakes_of(text) == ()
