"""Names and places: a small head on the lower layers of the sentence encoder that the cache uses too."""
