"""What of a person may stand where in an answer: originals come back, but into no address that a model wrote."""
