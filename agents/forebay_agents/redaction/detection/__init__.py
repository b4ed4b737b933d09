"""Where is the personal data of a request? Recognisers and names, run and put together."""
