"""Which tenants a rule folder has files of; a misspelt one is never taken for a tenant without rules of its own."""

from pathlib import Path

from shared.rules.errors import RuleFileError, did_you_mean
from tandem.commands.options import refuse


def tenants_in(rules_dir: Path) -> list[str]:
    folder = rules_dir / "tenants"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def require_tenant(rules_dir: Path, tenant: str | None, as_json: bool) -> None:
    """Refuses, with exit code 2, a tenant that the folder has no files of."""
    found = tenants_in(rules_dir)
    if tenant is not None and tenant not in found:
        message = f"there are no rule files of this tenant{did_you_mean(tenant, found)}"
        refuse([RuleFileError(str(rules_dir / "tenants" / tenant), 1, 1, None, message)], as_json)
