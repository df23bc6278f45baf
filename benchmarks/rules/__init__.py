"""How fast rules are decided, beside other engines on the same work: ``make bench-rules``."""
