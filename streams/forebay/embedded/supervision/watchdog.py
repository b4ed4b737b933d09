"""Who cleans up when the supervisor is killed? A process that waits for exactly that.

Run as a script (``python -I -S watchdog.py``). Each line on standard input adds (``+PGID``) or removes (``-PGID``) a
process group; end of file means that the supervisor is gone, however it went, and every group left is killed. This
works on every POSIX system, and reaches what the children forked, which the kernel's parent-death signal does not.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Read until the end of standard input, then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
