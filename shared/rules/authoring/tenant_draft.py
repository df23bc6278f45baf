"""A commented tenant pack that overrides one rule: where a coach's own rule file begins."""

from shared.rules.model import Pack, Rule

_SCHEMA = "# yaml-language-server: $schema=../../schema/tandem-rules-1.schema.json"


def tenant_draft(tenant: str, base: Pack, rule: Rule) -> str:
    """YAML that loads as it stands, changes nothing yet, and says in comments what may be changed."""
    major = base.version.split(".")[0]
    limits = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in rule.limit.items())
    about = [
        f"# The base rule '{rule.id}' ({rule.severity}): {rule.title}",
        f"# Because: {rule.because}",
        *([f"# Its limit now: {limits}"] if limits else []),
        "# Write only what shall differ; everything else stays as in the base. Some fields:",
        "#   severity: soft          # hard = never broken, soft = costs its penalty",
        "#   penalty: 20             # of a soft rule, 0 to 1000",
        "#   mode: watch             # only count what would have fired; warn = never refuse; enforce",
        *_condition(rule),
        "#   off: true               # the rule does not count for your athletes",
        f"# Then look at it:  tandem rules check --tenant {tenant}",
    ]
    header = [
        _SCHEMA,
        "dialect: tandem-rules/1",
        f"id: {tenant}.{base.kind}",
        'version: "1.0.0"',
        f"extends: {base.id}@{major}",
        "",
        "override:",
        f"  {rule.id}:",
    ]
    body = [f"    {line}" for line in about] + ["    because: say here why your athletes need it otherwise"]
    return "\n".join(header + body) + "\n"


def _condition(rule: Rule) -> list[str]:
    if rule.shape == "pair" and "gap_hours" in rule.limit:
        return [f"#   when: {{gap: less than {rule.limit['gap_hours']:g} h}}"]
    if rule.outcome == "require":
        return ["#   require: {...}          # what must be true"]
    return [f"#   {rule.outcome}: ..." if rule.values else "#   when: {...}"]
