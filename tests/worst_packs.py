"""Rule packs that cost as much as their 256 KiB can be made to cost, each of another kind; tenant acme's."""

from collections.abc import Callable, Iterator

BYTES = 240 * 1024
HEAD = "dialect: tandem-rules/1\nid: acme.sequencing\nversion: 1.0.0\nextends: base.sequencing@1\n"
RULE = """\
  - id: acme-{number}
    title: t
    severity: soft
    penalty: 1
    because: b
    when: {when}
    forbid: true
    examples: [{{name: a, first: {{kind: lift, duration: 1 min}}, then: {{kind: lift, duration: 1 min}},
      gap_hours: 100 h, expect: ok}}]
"""


def worst_packs() -> dict[str, str]:
    """By name. What is wrong with them is told; those in ``SOUND`` can be loaded."""
    return {name: HEAD + body for name, body in _bodies()}


SOUND = ("900 cases", "alternatives", "200 rules")


def _bodies() -> Iterator[tuple[str, str]]:
    yield "5,000 unknown overrides", _filled("override", lambda n: f"  no-rule-{n}: {{off: true, because: b}}\n", 5_000)
    yield "unknown overrides near a name", _filled("override", lambda n: f"  overla-{n}: {{off: true, because: b}}\n")
    yield "one override again and again", _filled("override", lambda n: f"  x{n % 4_000}: {{off: true}}\n")
    yield "5,000 rules", _filled("rules", lambda n: f"  - {{id: r{n}, title: t}}\n", 5_000)
    yield "unknown settings", _filled("settings", lambda n: f"  a_setting_{n}: {{value: 3}}\n")
    doubled = _filled("words", lambda n: f"  w{n + 1}: [w{n}, w{n}]\n", 150)
    yield "words of words", doubled.replace("[w0, w0]", "any run")
    yield "deep words", _filled("words", lambda n: f"  w{n + 1}: {{any: [w{n}]}}\n", 190).replace("[w0]", "[any run]")
    yield "deep conditions", "rules:\n" + _rule(1, "{not: " * 20_000 + "{first: any run}" + "}" * 20_000)
    yield "open brackets", "rules: " + "[" * 100_000
    yield "one long list", "rules:\n" + _rule(1, f"{{first: [{_runs(1, 4_000)}], then: any session}}")
    features = ", ".join(f"feature_{n}: 1" for n in range(13_000))
    yield "unknown features", "rules:\n" + _rule(1, f"{{week: {{{features}}}}}")
    yield "unknown fields", "".join(f"f{n}: 1\n" for n in range(25_000))
    yield "like a regular expression", f"title: '{'a' * 30_000}!'\nsettings:\n  a!: {{value: {'1-' * 80_000} x}}\n"
    yield "a long number", f"settings:\n  day_opens: {{value: {'9' * 200_000}}}\n"
    yield "a long name", f"override:\n  ? {'x' * 200_000}\n  : {{off: true}}\n"
    yield "a megabyte", f"# {'x' * 1024 * 1024}\n"
    yield "anchors", "a: &a [x]\n" + "b: *a\n" * 20_000
    yield "3,000 cases", "rules:\n" + "".join(_rule(n, _pair(n, 4, 5)) for n in range(150))
    yield "900 cases", "rules:\n" + "".join(_rule(n, _pair(n, 4, 5)) for n in range(45))
    yield "alternatives", "rules:\n" + _rule(1, _pair(1, 22, 22))
    yield "200 rules", "rules:\n" + "".join(_rule(n, _pair(n, 1, 1)) for n in range(170))


def _filled(name: str, line: Callable[[int], str], most: int = 100_000) -> str:
    lines, size = [f"{name}:\n"], len(HEAD)
    for number in range(most):
        lines.append(line(number))
        size += len(lines[-1])
        if size > BYTES:
            break
    return "".join(lines)


def _rule(number: int, when: str) -> str:
    return RULE.format(number=number, when=when)


def _runs(least: int, count: int) -> str:
    return ", ".join(f"{{kind: run, duration: at least {least + n} min}}" for n in range(count))


def _pair(number: int, first: int, then: int) -> str:
    gap = number % 90 + 1
    return f"{{first: [{_runs(1 + number, first)}], then: [{_runs(1 + number, then)}], gap: less than {gap} h}}"
