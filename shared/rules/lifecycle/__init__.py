"""Which rules are in force: loaded, watched, activated, tried."""
