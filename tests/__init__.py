"""The tests compute as the command line does: in one thread each, and this is read before numpy is."""

import os

# As streams/forebay/cli/main.py; with a thread for each core the tests of routing take six times the CPU time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
