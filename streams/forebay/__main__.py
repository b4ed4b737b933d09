"""``python -m forebay``: the command line under this interpreter, for the processes that the supervisor starts."""

from forebay.cli import main

main()
