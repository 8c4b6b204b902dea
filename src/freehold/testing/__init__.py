"""Test with real PostgreSQL servers: a pytest plugin, fresh databases, and a proxy that cuts connections."""
