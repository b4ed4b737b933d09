"""What a text is made of: words, sentences, tokens, and what must not be touched."""
