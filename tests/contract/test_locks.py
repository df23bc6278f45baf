"""The lock files: what set-up installs is pinned by hash and can come from any registry."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
IMAGE_LOCK = ROOT / "deploy" / "docker" / "requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned(lock: Path) -> dict[str, str]:
    """Package name -> the whole entry, hashes included."""
    entries = re.split(r"(?m)^(?=[a-z0-9])", lock.read_text(encoding="utf-8"))[1:]
    return {canonicalize_name(entry.partition("==")[0]): entry for entry in entries}


def version(entry: str) -> Version:
    return Version(re.split(r"[\s;\\]", entry.partition("==")[2].strip(), maxsplit=1)[0])


@pytest.mark.parametrize("lock", [LOCK, IMAGE_LOCK], ids=["requirements.lock", "the image's"])
def test_a_lock_names_no_registry(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert re.findall(r"\w+://\S*|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


@pytest.mark.parametrize("lock", [LOCK, IMAGE_LOCK], ids=["requirements.lock", "the image's"])
def test_every_package_is_pinned_by_hash(lock: Path) -> None:
    entries = pinned(lock)
    assert len(entries) > 50
    assert [name for name, entry in entries.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        (LOCK, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
        (IMAGE_LOCK, PROJECT["dependencies"]),
    ],
    ids=["requirements.lock", "the image's"],
)
def test_a_lock_fulfils_the_project(lock: Path, requirements: list[str]) -> None:
    entries = pinned(lock)
    unfulfilled = [
        requirement
        for requirement in map(Requirement, requirements)
        if canonicalize_name(requirement.name) not in entries
        or version(entries[canonicalize_name(requirement.name)]) not in requirement.specifier
    ]
    assert unfulfilled == []


def test_the_image_holds_what_was_tested() -> None:
    tested = pinned(LOCK)
    assert {name: entry for name, entry in pinned(IMAGE_LOCK).items() if tested.get(name) != entry} == {}


def test_only_supported_pythons_are_let_in() -> None:
    assert PROJECT["requires-python"] == ">=3.11,<3.15"
