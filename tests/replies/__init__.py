"""Random commands, duplicates, late and early stamps: is every reply true, and every effect as a small model says?"""
