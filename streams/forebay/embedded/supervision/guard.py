"""How does a child never outlive its supervisor? By asking the kernel before it becomes what it is to be.

Run as a script (``python -I -S guard.py PARENT COMMAND…``) in the place of COMMAND: it asks Linux for a SIGKILL at its
parent's death, makes sure that the parent still lives, waits until the parent has told the watchdog of it (one byte on
standard input), and only then turns into COMMAND, with the same pid. A supervisor that dies at any moment in between
leaves an end of file on standard input, and the guard goes. Standard library only, and little of it: this runs at every
start of every child (20 ms).
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; survives exec, not fork: what a child forks is the watchdog's


def main(parent: int, command: list[str]) -> None:
    """Become ``command``, or exit with status 1 if ``parent`` is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or os.read(0, 1) != b"g":
        sys.exit(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # ignored by Python, and exec would pass that on
        signal.signal(number, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - the supervisor's own command line


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
