"""Fuzzing of redaction: a mutator of texts with a kept corpus."""
