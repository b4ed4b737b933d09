"""What is asked by HTTP: a body in OpenAI's words, the headers beside it and a key become one record."""
