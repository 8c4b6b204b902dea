"""Freehold: an enterprise data layer on PostgreSQL, declared over plain SQLAlchemy models and proved by attack."""

from freehold.errors import FreeholdError
from freehold.kernel.declare import Extra, Rename
from freehold.kernel.metadata import partition_of
from freehold.layer import DataLayer
from freehold.rooms.backup import Backup
from freehold.rooms.history import History, as_of
from freehold.rooms.outbox import Outbox
from freehold.rooms.outcomes import Outcomes
from freehold.rooms.reports import Report, read_report
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import Tenancy, tenant_foreign_key, tenant_unique
from freehold.rooms.versions import Versions
from freehold.runtime import AsyncDatabase, AsyncSession, Database, KeyRing, Session

__all__ = [
    "AsyncDatabase",
    "AsyncSession",
    "Backup",
    "DataLayer",
    "Database",
    "Extra",
    "FreeholdError",
    "History",
    "KeyRing",
    "Outbox",
    "Outcomes",
    "Rename",
    "Report",
    "Roles",
    "Session",
    "Tenancy",
    "Versions",
    "as_of",
    "partition_of",
    "read_report",
    "tenant_foreign_key",
    "tenant_unique",
]
