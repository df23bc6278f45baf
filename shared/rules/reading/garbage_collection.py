"""Python's collector of cycles, kept away from packs: one look at those of a thousand tenants takes half a second."""

import gc


def freeze_existing() -> None:
    """Take what is there now out of the collector's sight. It still goes when nothing refers to it any more.

    What is garbage in a cycle right now stays for good, so the young, where nearly all of it is, are collected first.
    """
    gc.collect(1)
    gc.freeze()
