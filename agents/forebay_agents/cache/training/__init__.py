"""What the cache's decision was learned from, and how it is learned again: ``python -m
forebay_agents.cache.training``."""
