"""Runs services: over a broker, embedded in one process, and what they need around them."""
