"""What commands say, to people and to programs: the only room that writes on a terminal; no text is more than text."""
