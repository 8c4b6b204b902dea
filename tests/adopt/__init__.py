"""Adopting a database: the first plan is empty."""
