"""The names of what is there only while a table changes."""

OURS = "zz_freehold_"
"""What the names of the triggers begin with that keep rows in step; PostgreSQL fires triggers in the order of names."""

COMING, GONE = "freehold_coming", "freehold_gone"
"""The schemas in which what is to come is made, and in which what is over waits for the contraction."""

SHADOW = "__new"
"""What the name of a column ends in while its values of another type are gathered."""
