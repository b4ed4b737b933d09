"""How HTTP is spoken: connections and their patience, routes, and the JSON of every error."""
