"""Faults under load, one at a time and all together, each judged by :mod:`loadtest.oracle`."""
