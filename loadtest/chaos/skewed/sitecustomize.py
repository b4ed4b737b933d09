"""Makes a Python process lie about the time, or unable to write files; for chaos runs, by ``PYTHONPATH``."""

import os
import time

if _skew := os.environ.get("LOADTEST_SKEW_S"):
    _seconds, _time, _time_ns = int(_skew), time.time, time.time_ns
    time.time = lambda: _time() + _seconds
    time.time_ns = lambda: _time_ns() + _seconds * 1_000_000_000

if os.environ.get("LOADTEST_NO_FILES"):
    import resource

    # Writing to a file fails with EFBIG; the log is a pipe in a container, and here the one file that may grow.
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, 256 * 1024))
