"""Changes of a table that lives: rows brought along in batches, kept in step meanwhile, and switched in a moment."""
