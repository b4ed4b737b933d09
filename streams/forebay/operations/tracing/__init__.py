"""Where is a request, what became of it, and where did its time go? For the command and for a console."""
