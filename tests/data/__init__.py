"""Texts that the tests read, and what writes them."""
