"""Freehold: an enterprise data layer on PostgreSQL, declared over plain SQLAlchemy models and proved by attack."""
