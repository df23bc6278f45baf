"""The demo: the example athlete played through all four services, and the result on screen and in files."""
