"""The history in one file of SQLite: tables, writing with offsets, sums, reading within bounds, and forgetting."""
