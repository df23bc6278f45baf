"""Everything that is held of one athlete: given out as one document, or erased everywhere."""
