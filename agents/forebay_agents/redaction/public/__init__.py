"""What of a request is public knowledge that it asks about, and may stay? Decided over findings, in doubt against it."""
