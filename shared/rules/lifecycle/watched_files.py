"""Which rule files have changed: a stat of each, and its content's hash where the stat differs.

Polled, because file notification delivers nothing under eventlet and nothing on network file systems. Two thousand
files of a thousand tenants took 30 ms on a slow disk, so a service looks at them off its hub.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from shared.rules.reading.rule_files import is_rule_file, read_rule_file
from shared.rules.rule_texts import BASE, TENANTS

Stat = tuple[int, int, int, int]
_UNKNOWN: Stat = (0, 0, 0, 0)


class WatchedFiles:
    """The rule files under one folder, as they were when last looked at."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._seen: dict[str, Stat] = {}
        self._stats: dict[str, Stat] = {}
        self._hashes: dict[str, str] = {}
        self.moving: frozenset[str | None] = frozenset()
        """Whose files were being written at the last look; None: the base's."""

    def changed(self, settled: bool = False) -> frozenset[str]:
        """Paths (relative to the folder) of files that were written, came or went since the last call.

        ``settled``: files that are being written wait, and with them their neighbours (the base's, or one tenant's),
        until two looks find them alike. Half a file may well be a sound pack with half of the rules. It also means
        that a content is read a while after its last change, so that no two changes can share a time stamp.
        """
        found = dict(self._scan())
        seen, self._seen = self._seen, found
        self.moving = frozenset()
        if settled and found != seen:
            self.moving = frozenset(tenant_of(path) for path in {*found, *seen} if found.get(path) != seen.get(path))
        stats = found
        if self.moving:
            stats = {path: stat for path, stat in found.items() if tenant_of(path) not in self.moving}
            stats |= {path: stat for path, stat in self._stats.items() if tenant_of(path) in self.moving}
        hashes = {}
        for path, stat in stats.items():
            if self._stats.get(path) == stat:
                hashes[path] = self._hashes[path]
            else:
                content = self._hash(path)
                if content is not None:
                    hashes[path] = content
        different = {path for path in {*hashes, *self._hashes} if hashes.get(path) != self._hashes.get(path)}
        self._stats, self._hashes = {path: stats[path] for path in hashes}, hashes
        return frozenset(different)

    def tenants(self) -> frozenset[str]:
        """Tenants that have rule files of their own."""
        return frozenset(tenant for path in self._hashes if (tenant := tenant_of(path)))

    def fingerprint(self) -> str:
        """The same for two replicas that see the same files."""
        told = "\n".join(f"{path} {content}" for path, content in sorted(self._hashes.items()))
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def _scan(self) -> Iterator[tuple[str, Stat]]:
        yield from self._files(BASE)
        tenants = self._names(TENANTS)
        if tenants is None:
            yield from self._seen_before(TENANTS)
        for tenant in tenants or ():
            yield from self._files(f"{TENANTS}/{tenant}")

    def _files(self, place: str) -> Iterator[tuple[str, Stat]]:
        names = self._names(place)
        if names is None:
            yield from self._seen_before(place)
        for name in names or ():
            if not is_rule_file(name):
                continue
            path = f"{place}/{name}"
            try:
                found = os.stat(f"{self._folder}/{path}")
            except FileNotFoundError:
                continue  # An editor replaces files by renaming: gone between listing and stat.
            except OSError:
                yield path, self._seen.get(path, _UNKNOWN)
            else:
                yield path, (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)

    def _names(self, place: str) -> list[str] | None:
        """None: it cannot be told now. A disk that does not answer must not look like files taken away."""
        try:
            return os.listdir(f"{self._folder}/{place}")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError:
            return None

    def _seen_before(self, place: str) -> Iterator[tuple[str, Stat]]:
        return ((path, stat) for path, stat in self._seen.items() if path.startswith(f"{place}/"))

    def _hash(self, path: str) -> str | None:
        try:
            return hashlib.sha256(read_rule_file(f"{self._folder}/{path}")).hexdigest()
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"unreadable: {error}"  # The loader says so, of this file only; the others are looked at.


def tenant_of(path: str) -> str | None:
    """The tenant whose file ``path`` is; None for a file that concerns everybody."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == TENANTS else None
