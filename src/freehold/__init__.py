"""Freehold: an enterprise data layer on PostgreSQL."""
