"""YAML and JSON text to one tree that remembers where everything stands: for rule files and athlete files alike."""
