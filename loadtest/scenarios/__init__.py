"""Scenarios that answer one question each."""
