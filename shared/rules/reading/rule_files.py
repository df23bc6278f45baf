"""Where rule files stand and which files are some."""

import errno
import os
import stat
from typing import Final

BASE: Final = "base"
TENANTS: Final = "tenants"
SUFFIXES: Final = (".yaml", ".yml")
MOST_BYTES: Final = 1 << 20
"""Of a file more than this is not read; the loader refuses far smaller ones."""


def is_rule_file(name: str) -> bool:
    """Hidden files are an editor's or a file system's own, such as ``.#sequencing.yaml`` while Emacs has it open."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def read_rule_file(path: str) -> bytes:
    """Raises ``OSError``, also for what is no file: opening a named pipe would wait for ever."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    with open(path, "rb") as file:
        return file.read(MOST_BYTES)
