"""Recognisers of data that has a form; the framework and what fits no group."""
