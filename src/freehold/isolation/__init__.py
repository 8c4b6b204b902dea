"""The isolation ledger: every exit of tenants' rows in the live catalog, for every role, attacked or accounted for."""

from freehold.isolation.judge import Entry, Standing
from freehold.isolation.ledger import Ledger, read_ledger

__all__ = ["Entry", "Ledger", "Standing", "read_ledger"]
