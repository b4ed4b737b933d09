"""How the brokers are reached and asked: connections, topics, offsets, single reads and writes."""
