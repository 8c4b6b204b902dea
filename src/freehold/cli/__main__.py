"""``python -m freehold.cli``."""

from freehold.cli.main import main

main()
