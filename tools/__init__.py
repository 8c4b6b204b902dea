"""Tools for those who work on Freehold itself."""
