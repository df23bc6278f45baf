"""Whether a calendar that somebody proposes keeps the rules, and where a session could stand instead."""
