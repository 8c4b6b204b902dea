"""What an application imports: a database, its transactions, and the keys that sign their context."""

from freehold.runtime.asynchronous import AsyncDatabase, AsyncSession
from freehold.runtime.bulk import Changed
from freehold.runtime.commits import CancelledAfterCommit, InterruptedAfterCommit
from freehold.runtime.constraints import fault_message
from freehold.runtime.context import Context
from freehold.runtime.core import AsyncCoreTransaction, CoreTransaction
from freehold.runtime.database import Database
from freehold.runtime.keys import Key, KeyRing
from freehold.runtime.literal import reviewed_sql, sql, sql_column, sql_file
from freehold.runtime.outcome import Settled, Verdict
from freehold.runtime.pools import Pool
from freehold.runtime.scope import acting
from freehold.runtime.session import Session
from freehold.runtime.workload import Retry, Workload

__all__ = [
    "AsyncCoreTransaction",
    "AsyncDatabase",
    "AsyncSession",
    "CancelledAfterCommit",
    "Changed",
    "Context",
    "CoreTransaction",
    "Database",
    "InterruptedAfterCommit",
    "Key",
    "KeyRing",
    "Pool",
    "Retry",
    "Session",
    "Settled",
    "Verdict",
    "Workload",
    "acting",
    "fault_message",
    "reviewed_sql",
    "sql",
    "sql_column",
    "sql_file",
]
