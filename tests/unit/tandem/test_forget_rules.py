"""``tandem tenant forget-rules``: what a tenant that has gone leaves in the services' databases."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.contract.words import SERVICES
from shared.db.engine import Database
from shared.db.rule_store import RuleShelf, StoredActivation, StoredPack
from shared.ops.settings import Settings
from tandem.cli import tandem
from tandem.runtime.databases import upgrade_databases

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/{{service}}.db"
    monkeypatch.setenv("TANDEM_DATABASE_URL", url)
    monkeypatch.setenv("TANDEM_RULES_DIR", str(tmp_path / "rules"))
    upgrade_databases(Settings(database_url=url), SERVICES)
    return url


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(tandem, ["tenant", "forget-rules", *arguments], input=answer)


def packs(url: str, tenant: str) -> dict[str, int]:
    found = {}
    for service in SERVICES:
        database = Database(service, url)
        with database.reading() as db:
            found[service] = len(RuleShelf(db, tenant).packs())
        database.dispose()
    return found


def keep(url: str, tenant: str) -> None:
    for service in SERVICES:
        database = Database(service, url)
        with database.transaction() as db:
            shelf = RuleShelf(db, tenant)
            shelf.put(StoredPack("x.deload", "1.0.0", "deload", "text", "h" * 64, None, "Kim", "so", AT))
            first = date(2026, 3, 1)
            shelf.activate(StoredActivation(1, "activate", "deload", "x.deload", "1.0.0", first, "Kim", "so", AT, "m1"))
        database.dispose()


def test_every_services_database_forgets_the_tenant_and_nobody_else(url: str, tmp_path: Path) -> None:
    for tenant in ("acme", "beta"):
        keep(url, tenant)
    (tmp_path / "rules" / "tenants" / "acme").mkdir(parents=True)
    assert run("acme", answer="n\n").exit_code == 1
    assert set(packs(url, "acme").values()) == {1}, "asked first"
    result = run("acme", "--yes")
    assert result.exit_code == 0, result.output
    for service in SERVICES:
        assert f"{service}: 3 rows deleted" in result.output
    assert "still counts as the tenant's own rules" in result.output
    assert set(packs(url, "acme").values()) == {0}
    assert set(packs(url, "beta").values()) == {1}
    assert "load: 0 rows deleted" in run("acme", "--yes").output, "again does no harm"


def test_what_cannot_be_done_is_said(url: str, tmp_path: Path) -> None:
    assert run("", "--yes").exit_code == 2, "the base's own rows carry no tenant"
    (tmp_path / "load.db").unlink()
    result = run("acme", "--yes")
    assert result.exit_code == 1
    assert "tandem db upgrade" in result.output
