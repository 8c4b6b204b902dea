"""Many rows at once: COPY in and out, and set-based changes, under the policies of the transaction."""

from freehold.runtime.bulk.change import Changed
from freehold.runtime.bulk.methods import AsyncBulkMethods, BulkMethods

__all__ = ["AsyncBulkMethods", "BulkMethods", "Changed"]
