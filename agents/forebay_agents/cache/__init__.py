"""The cache stage: answers what was answered before, to whom it may be given, with a bound on wrong hits."""
