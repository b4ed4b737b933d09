"""Which text is slow to read? Hostile repetitions, bred from the patterns themselves, and how their cost grows."""
