"""A tenant's own rule packs: put, tried, put into force, rolled back."""
