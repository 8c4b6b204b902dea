"""What an application imports: a database, its transactions, and the keys that sign their context."""

from freehold.runtime.asynchronous import AsyncDatabase, AsyncSession
from freehold.runtime.context import Context
from freehold.runtime.database import Database
from freehold.runtime.keys import Key, KeyRing
from freehold.runtime.session import Session

__all__ = ["AsyncDatabase", "AsyncSession", "Context", "Database", "Key", "KeyRing", "Session"]
