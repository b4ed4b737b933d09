"""Which records are about one request? Found by their keys and headers, newest first, within bounds."""

from forebay.kafka.searching.looking import Found, Looked, search

__all__ = ["Found", "Looked", "search"]
