"""Any record on any topic: what is drawn, how it is put there, and what must have become of it."""
