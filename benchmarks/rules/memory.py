"""How much memory processes hold."""

from pathlib import Path

MB = 1_000_000


def resident_bytes(pid: int) -> int:
    """The process's resident set, shared libraries included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"no VmRSS of process {pid}")
