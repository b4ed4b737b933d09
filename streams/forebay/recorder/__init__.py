"""Writes down what became of requests: topics in, the history out, off every request's way."""
