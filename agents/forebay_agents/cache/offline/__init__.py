"""What the commands of the cache measure without a server: explain, evaluate, propose thresholds."""
