"""How a stage reads: batches of any bytes, positions that hold, and a look from outside at whether it moves."""
