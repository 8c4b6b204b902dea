"""The frameworks' tests: a real web server, a real client, a real PostgreSQL."""
