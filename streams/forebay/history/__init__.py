"""What became of every request, without a word of any."""
