"""What opens a door: keys, passwords, codes, wherever people paste them."""
