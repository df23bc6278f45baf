"""Measurements against stated goals; run by the `bench-…` and `soak` targets, never by `make test`."""
