"""The architecture review of any database."""
