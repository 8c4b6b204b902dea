"""A small Django shop on a layer of Freehold."""
