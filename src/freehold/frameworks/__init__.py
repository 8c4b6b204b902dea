"""Freehold under web frameworks; each module needs its framework, so import the one that is used."""
