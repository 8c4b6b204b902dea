"""The command line: every command is a short script over the same functions that Python code calls."""

from freehold.cli.main import app, main

__all__ = ["app", "main"]
