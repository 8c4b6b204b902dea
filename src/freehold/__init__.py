"""Freehold: an enterprise data layer on PostgreSQL, declared over plain SQLAlchemy models and proved by attack."""

from freehold.errors import FreeholdError
from freehold.kernel.declare import Extra, Rename
from freehold.kernel.metadata import partition_of
from freehold.layer import DataLayer
from freehold.rooms.audit import Audit
from freehold.rooms.backup import Backup
from freehold.rooms.constraints import Balanced, Counter, Derived, Limit, NoOverlap, StateMachine
from freehold.rooms.documents import Document, DocumentType, Path, Promoted, Upgrade
from freehold.rooms.encryption import BlindIndex, Encrypted, EncryptedType, Encryption
from freehold.rooms.history import (
    Change,
    History,
    as_of,
    between,
    changes_of,
    look_back,
    rewind,
    rewind_all,
    timeline,
    timeline_html,
    versions_of,
)
from freehold.rooms.outbox import Outbox
from freehold.rooms.outcomes import Outcomes
from freehold.rooms.partitions import Partitioned
from freehold.rooms.reports import Report, read_report
from freehold.rooms.roles import Roles
from freehold.rooms.soft_delete import SoftDelete, deleted, restore, restoring, with_deleted
from freehold.rooms.tenancy import Tenancy, tenant_foreign_key, tenant_unique
from freehold.rooms.versions import Versions
from freehold.runtime import (
    AsyncCoreTransaction,
    AsyncDatabase,
    AsyncSession,
    CancelledAfterCommit,
    Changed,
    CoreTransaction,
    Database,
    InterruptedAfterCommit,
    KeyRing,
    Pool,
    Retry,
    Session,
    Settled,
    Verdict,
    Workload,
    acting,
    fault_message,
    reviewed_sql,
    sql,
    sql_column,
    sql_file,
)

__all__ = [
    "AsyncCoreTransaction",
    "AsyncDatabase",
    "AsyncSession",
    "Audit",
    "Backup",
    "Balanced",
    "BlindIndex",
    "CancelledAfterCommit",
    "Change",
    "Changed",
    "CoreTransaction",
    "Counter",
    "DataLayer",
    "Database",
    "Derived",
    "Document",
    "DocumentType",
    "Encrypted",
    "EncryptedType",
    "Encryption",
    "Extra",
    "FreeholdError",
    "History",
    "InterruptedAfterCommit",
    "KeyRing",
    "Limit",
    "NoOverlap",
    "Outbox",
    "Outcomes",
    "Partitioned",
    "Path",
    "Pool",
    "Promoted",
    "Rename",
    "Report",
    "Retry",
    "Roles",
    "Session",
    "Settled",
    "SoftDelete",
    "StateMachine",
    "Tenancy",
    "Upgrade",
    "Verdict",
    "Versions",
    "Workload",
    "acting",
    "as_of",
    "between",
    "changes_of",
    "deleted",
    "fault_message",
    "look_back",
    "partition_of",
    "read_report",
    "restore",
    "restoring",
    "reviewed_sql",
    "rewind",
    "rewind_all",
    "sql",
    "sql_column",
    "sql_file",
    "tenant_foreign_key",
    "tenant_unique",
    "timeline",
    "timeline_html",
    "versions_of",
    "with_deleted",
]
