"""What the commands of the cache do: explain, evaluate, look after what is stored."""
