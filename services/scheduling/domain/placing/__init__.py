"""Where the sessions of a week stand best, or why they cannot all stand."""
