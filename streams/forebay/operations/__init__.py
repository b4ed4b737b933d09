"""What an operator may do, as typed functions: for the command line and for a console alike."""
