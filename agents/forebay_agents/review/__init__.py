"""The review stage: brings in people, on what the judge scored low and what users disliked."""
