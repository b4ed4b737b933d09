"""How personal data is kept in: pseudonyms, the sealed vault, restoring, and the guard at each way out."""
