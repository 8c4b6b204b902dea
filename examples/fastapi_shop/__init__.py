"""A small FastAPI shop on a layer of Freehold."""
