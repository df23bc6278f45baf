"""How long placing a week takes, and saying why one cannot be placed: ``make bench-scheduling``."""
