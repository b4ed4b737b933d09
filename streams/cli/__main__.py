"""``python -m streams.cli``: the command line under this interpreter, for the processes that the supervisor starts."""

from streams.cli import main

main()
