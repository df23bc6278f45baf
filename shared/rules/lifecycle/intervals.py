"""How often a service looks at its rules, and how much it does in one go; settings know them without what does it."""

from typing import Final

LOOK_EVERY_S: Final = 0.5
SETTLING_S: Final = 0.25
"""How soon files that were being written are looked at again; they count once two looks find them alike."""
SLICE_S: Final = 0.02
"""How long tenants are brought up to date before messages get their turn; one tenant takes about as long."""
BREATH_S: Final = 0.02
"""What messages have between two slices, whatever they do with it."""
CPU_S: Final = 5.0
"""Processor time that reading and checking one tenant's packs may take; the worst that are sound take 1.2 s."""
MEMORY_MB: Final = 512
