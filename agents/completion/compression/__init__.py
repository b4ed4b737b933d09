"""Fewer tokens before the paid call: model-free, deterministic, CPU only, and never at the price of what is protected."""
