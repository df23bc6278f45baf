"""YAML 1.2 text to a tree that remembers where everything stands."""
