"""What the periodization service does with a message."""
