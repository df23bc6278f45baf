"""A pack of forty rules as a coach would write it, every rule with examples at its threshold, in as many versions as
wanted: no version shares a threshold with another, so that nothing of one can be used again for the next.

Half of the rules are about two sessions in a row, with lists of words, exceptions and athletes they are for.
"""

HEAD = """\
dialect: tandem-rules/1
kind: sequencing
id: base.sequencing
version: "1.0.0"
words:
  heavy legs: {kind: lift, region: [lower, full], effort: [heavy, max]}
  upper lift: {kind: lift, region: upper}
  easy run: {kind: run, type: [easy, recovery]}
  long run: {any: [{kind: run, type: long}, {kind: run, type: race, duration: at least 90 min}]}
  quality run: {kind: run, type: [tempo, threshold, intervals, hills, race]}
rules:
"""
SESSIONS = {
    "heavy legs": "{kind: lift, region: lower, effort: heavy}",
    "upper lift": "{kind: lift, region: upper, effort: moderate}",
    "easy run": "{kind: run, type: easy, duration: 45 min}",
    "long run": "{kind: run, type: long, duration: 110 min}",
    "quality run": "{kind: run, type: intervals, duration: 60 min}",
}
PAIRS = [(first, then) for first in SESSIONS for then in SESSIONS if first != then]
CONDITIONS = (
    "gap: less than {hours:g} h, either order: true",
    "gap: less than {hours:g} h, same day: true",
)
RULE = """\
  - id: {name}
    title: No {then} within {hours:g} h of a {first}
    severity: {severity}
    when: {{first: {first}, then: {then}, {condition}}}
{extra}    forbid: true
    because: The first session would spoil the second.
    source: {{ref: "Doma & Deakin 2013", strength: moderate}}
    examples:
      - name: just under the threshold
        first: {one}
        then: {two}
        gap_hours: {under:g}
        same_day: true
        expect: violates
      - name: exactly at the threshold
        first: {one}
        then: {two}
        gap_hours: {hours:g}
        same_day: true
        expect: ok
      - name: another sport
        first: {one}
        then: {{kind: other, mode: swim}}
        gap_hours: {under:g}
        same_day: true
        expect: ok
"""
EXTRA = (
    "",
    "    unless: {first: {key: true}}\n",
    "    for athletes: {level: [beginner, intermediate]}\n",
    "    unless: [{then: {key: true}}, {first: {duration: at most 20 min}}]\n",
)


def pack(version: int, *, only_one_new: bool = False, size: int = 40) -> str:
    """The text of a version; with ``only_one_new`` a single rule differs from the version before."""
    rules = []
    for number in range(size):
        first, then = PAIRS[number % len(PAIRS)]
        changed = version if not only_one_new or number == version % size else 0
        hours = 4 + number / 4 + changed / 1000
        one, two = (_session(which, number) for which in (first, then))
        rules.append(
            RULE.format(
                name=f"rule-{number}",
                first=first,
                then=then,
                hours=hours,
                under=hours - 0.001,
                severity="hard" if number % 3 else "soft",
                condition=CONDITIONS[number // len(PAIRS)].format(hours=hours),
                extra=EXTRA[number % len(EXTRA)],
                one=one,
                two=two,
            )
        )
    return HEAD + "".join(rules)


def _session(which: str, number: int) -> str:
    text = SESSIONS[which]
    return text if "duration" in text or number % len(EXTRA) != 3 else text.replace("}", ", duration: 45 min}")
