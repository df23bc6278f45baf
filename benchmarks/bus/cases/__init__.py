"""One consumer per file, each a process of its own: ``python -m benchmarks.bus.cases.NAME``."""
