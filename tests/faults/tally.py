"""What happened inside processes that may be killed at any moment, counted where it outlives them."""

from pathlib import Path

REDELIVERED = "redelivered"
"""Deliveries of which the broker said that it had made them before."""


class Tally:
    """One file per name, a byte for each time: what was written is there however the writer ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def add(self, name: str, times: int = 1) -> None:
        with (self.folder / name).open("ab", buffering=0) as file:
            file.write(b"." * times)

    def count(self, name: str) -> int:
        file = self.folder / name
        return file.stat().st_size if file.exists() else 0


def died(moment: str) -> str:
    """Messages that a process had in hand when it killed itself at ``moment``."""
    return f"died-{moment}"
