"""How the processes of the embedded stack are started, watched and ended."""
