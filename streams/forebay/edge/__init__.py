"""The HTTP door: a request in OpenAI's words becomes a record, and the answer's record becomes a response."""
