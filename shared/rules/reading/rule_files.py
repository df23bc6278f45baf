"""Where rule files stand and which files are some."""

import errno
import os
import stat
from typing import Final

from shared.located_yaml.text import FileKind

BASE: Final = "base"
TENANTS: Final = "tenants"
SUFFIXES: Final = (".yaml", ".yml")
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
