"""Which tier should answer, and was its answer good enough? Learned offline, applied per request in plain numpy."""
