"""A small disk of the tests' own, to be filled."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_PERMITTED = "only root can mount the small tmpfs that this fills; run it in a container"


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """In memory; None where nobody lets us mount it."""
    with tempfile.TemporaryDirectory(prefix="tandem-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Writes until nothing more fits; deleting the file frees the disk again."""
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            return disk / "filling"
    raise AssertionError("the disk has no end")
