"""The arrows of the architecture, as import-linter sees them (contracts in pyproject.toml)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_imports_follow_the_arrows() -> None:
    done = lint(cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_domain_that_reached_for_the_database_would_be_noticed(tmp_path: Path) -> None:
    for package in ("tandem", "services", "services/load", "services/load/domain", "shared"):
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "services/load/domain/ratios.py").write_text("import sqlalchemy\n", encoding="utf-8")
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_packages = tandem\n  services\n  shared\ninclude_external_packages = True\n"
        "[importlinter:contract:1]\nname = domain\ntype = forbidden\n"
        "source_modules = services.load.domain\nforbidden_modules = sqlalchemy\n",
        encoding="utf-8",
    )
    done = lint(cwd=tmp_path)
    assert done.returncode == 1
    assert "services.load.domain.ratios -> sqlalchemy" in done.stdout
