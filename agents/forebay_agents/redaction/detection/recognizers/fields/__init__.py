"""Values whose name stands beside them: tables, forms, pairs, answers."""
