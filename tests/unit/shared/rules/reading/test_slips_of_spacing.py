"""The slips that YAML makes easy: one message each, saying what to write instead."""
# ruff: noqa: E501 - one slip a line

import pytest

from tests.unit.shared.rules.rule_texts import GAP_RULE, mistakes_of, pack_text

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("less than 6 h", "less than 6,5 h", 9, 61, "a comma ends the value before it; decimals have a point: 'less than 6.5 h'"),
        ("less than 6 h", '"less than 6,5 h"', 9, 49, "'gap': 'less than 6,5 h' is not an amount; write 'less than 6.5 h'"),
        ("less than 6 h", "< 6 h", 9, 49, "'gap': '< 6 h' is not an amount; write 'less than 6 h'"),
        ("less than 6 h", "less than 6 hors", 9, 49, "'gap': unknown unit 'hors'; did you mean 'hours'?"),
        ("severity: hard", "severity: soft\n  penalty: 1,5", 9, 14, "'penalty' is a number, not '1,5'; decimals have a point: 1.5"),
        ("first: any lift", "first:any lift", 9, 12, "a space is missing after ':'; write 'first: any lift'"),
        ("order: true", "order: yes", 9, 78, "'either order' is true or false, not 'yes'; write true"),
        ("forbid: true", "forbid: off", 10, 13, "'forbid' is true or false, not 'off'; write false"),
        ("  when:", "- when:", 9, 5, "this '-' begins another rule; take it away, the line belongs to the rule above"),
        ("title: Six", "title:Six", 7, 10, "a space is missing after ':'; write 'title: Six'"),
        ("- id: gap", "-id: gap", 6, 4, "a space is missing after '-'"),
        ("title: Six", f"title:{NBSP}Six", 7, 11, "a no-break space (U+00A0); write an ordinary space"),
        ("because: The lift suffers.", 'because: "The" lift suffers.', 11, 20, "a text goes on after its closing quote; put quotes around the whole text"),
        ("because: The lift suffers.", "because: note: it suffers.", 11, 18, "a second ': ' on this line; put quotes around a text that holds a colon"),
        ("forbid: true", "deload: {volume: -40 %}", 10, 5, "'deload' belongs to deload packs; a sequencing pack has 'forbid', 'allow' or 'require'"),
    ],
)  # fmt: skip
def test_one_message_says_what_to_write_instead(old: str, new: str, line: int, column: int, message: str) -> None:
    assert old in GAP_RULE
    mistakes = mistakes_of(pack_text(GAP_RULE.replace(old, new)))
    assert [(one.line, one.column, one.message) for one in mistakes] == [(line, column, message)]


def test_clock_times_and_on_off_stay_text_where_text_is_asked_for() -> None:
    settings = "settings:\n  day_opens: {value: 19:00, because: on}\n"
    assert not mistakes_of(pack_text(before_rules=settings))
