"""Dead letters as a product: look, choose, try a few, replay, park, drop, with an audit trail."""
