"""What each part of a text is worth to the question, and which parts stay."""
