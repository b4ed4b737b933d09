"""What of a request is public knowledge that it asks about, and stays? Decided over findings; in doubt it goes."""
