"""How much memory a process holds, and how much time of a processor it has used."""

import os
from pathlib import Path

MB = 1_000_000


def resident_bytes(pid: int) -> int:
    """The process's resident set, shared libraries included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"no VmRSS of process {pid}")


def cpu_seconds(pid: int) -> float:
    """Of the process, user and system, in steps of a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
