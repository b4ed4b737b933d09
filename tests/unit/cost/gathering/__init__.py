"""The mirror of `cost/gathering`."""
