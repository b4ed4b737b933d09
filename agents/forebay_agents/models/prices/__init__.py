"""What do tokens cost? By kind, service tier, length of the input, hour and period; exact, rounded once a call."""
