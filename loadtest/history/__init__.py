"""A history of plausible requests, made through the recorder's own writer: for tests, pictures and speed."""
