"""How a stage runs so that nothing is lost: lanes, offsets, retries, dead letters, the worker."""
