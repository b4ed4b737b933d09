"""Fewer tokens before the paid call: without a model, deterministic, and never at the price of what is protected."""
