"""Where rule files stand, which files are some, and what stands in them."""

import contextlib
import errno
import os
import re
import stat
from pathlib import Path
from typing import Final

from shared.located_yaml.text import FileKind
from shared.messages.ids import is_tenant
from shared.rules.errors import RuleFileError, RuleFileErrors
from shared.rules.rule_texts import BASE, TENANTS, RuleText, RuleTexts

SUFFIXES: Final = (".yaml", ".yml")
_SUFFIX_INSIDE: Final = re.compile(r"\.ya?ml\b", re.IGNORECASE)
_FIRST_LINE: Final = re.compile(rb"(?m)^dialect:\s*['\"]?tandem-rules/")
RULE_FILE: Final = FileKind("rule file", "dialect: tandem-rules/1", max_bytes=256 * 1024)


def is_rule_file(name: str) -> bool:
    """Hidden files are an editor's or a file system's own, such as ``.#sequencing.yaml`` while Emacs has it open."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def read_rule_file(path: str) -> bytes:
    """Raises ``OSError``, also for what is no file: opening a named pipe would wait for ever."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    with open(path, "rb") as file:
        return file.read(RULE_FILE.max_bytes + 1)


def read_texts(rules_dir: Path, tenant: str | None = None) -> RuleTexts:
    """The files as they stand. Raises RuleFileErrors when there is no base or something is unreadable."""
    own = own_texts(rules_dir, tenant) if tenant is not None else ()
    return RuleTexts(base_texts(rules_dir), own)


def base_texts(rules_dir: Path) -> tuple[RuleText, ...]:
    """Raises RuleFileErrors when there are none or something is unreadable."""
    base = read_files(rules_dir / BASE)
    if not base:
        place = RuleFileError(str(rules_dir / BASE), 1, 1, None, "no rule files (*.yaml) in this folder")
        raise RuleFileErrors([place])
    return tuple(base)


def own_texts(rules_dir: Path, tenant: str) -> tuple[RuleText, ...]:
    """A tenant's own files, which may be none. Raises RuleFileErrors when something is unreadable."""
    if not is_tenant(tenant):
        place = RuleFileError(str(rules_dir / TENANTS), 1, 1, None, f"'{tenant}' is no tenant id: a-z, 0-9 and '-'")
        raise RuleFileErrors([place])
    return tuple(read_files(rules_dir / TENANTS / tenant))


def read_files(folder: Path) -> list[RuleText]:
    """The rule files of a folder in name order; an absent folder has none. Raises RuleFileErrors when unreadable."""
    try:
        names = sorted(name for name in os.listdir(folder) if is_rule_file(name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RuleFileErrors([_unreadable(folder, error)]) from error
    texts: list[RuleText] = []
    unreadable: list[RuleFileError] = []
    for path in (folder / name for name in names):
        try:
            texts.append(RuleText(str(path), read_rule_file(str(path))))
        except OSError as error:
            unreadable.append(_unreadable(path, error))
    if unreadable:
        raise RuleFileErrors(unreadable)
    return texts


def misnamed_files(folder: Path, tenant: str | None = None) -> list[RuleFileError]:
    """What looks like a rule file and is none, so that nobody reads it: ``sequencing.yaml.txt``, ``deload.YAML``.

    Looked at are ``folder``, its base and its tenants, or one ``tenant``.
    """
    tenants = sorted((folder / TENANTS).glob("*")) if tenant is None else [folder / TENANTS / tenant]
    return [
        mistake
        for place in (folder, folder / BASE, *tenants)
        for path in sorted(place.glob("*"))
        if (mistake := misnamed(path)) is not None
    ]


def misnamed(path: Path) -> RuleFileError | None:
    """Says so of a file that looks like a rule file and is none by its name."""
    if not _looks_like_a_pack(path):
        return None
    message = "looks like a rule file, but nobody reads it: its name does not end in .yaml or .yml; rename or remove it"
    return RuleFileError(str(path), 1, 1, None, message)


def _looks_like_a_pack(path: Path) -> bool:
    if is_rule_file(path.name) or path.name.startswith(".") or not path.is_file():
        return False
    if _SUFFIX_INSIDE.search(path.name):
        return True
    with contextlib.suppress(OSError), path.open("rb") as file:
        return _FIRST_LINE.search(file.read(4096)) is not None
    return False


def _unreadable(path: Path, error: OSError) -> RuleFileError:
    return RuleFileError(str(path), 1, 1, None, f"cannot be read: {error.strerror or 'no access'}")
