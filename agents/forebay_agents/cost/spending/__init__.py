"""Who spent how much on what, from rows of spend or from the ledger itself, online and offline."""
