"""What programs agree on: topics, records, headers, failure codes, and a handler's signature."""
