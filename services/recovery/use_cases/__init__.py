"""What the recovery service does with a message."""
