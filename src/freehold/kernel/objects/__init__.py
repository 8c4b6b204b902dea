"""One file per kind of PostgreSQL object: how it is written, and how it is read back from the catalog."""

from freehold.kernel.objects.base import Change, Effort, Key, Lock, Object, Site, Stage, Undo
from freehold.kernel.objects.column import Column
from freehold.kernel.objects.constraint import Constraint, Older
from freehold.kernel.objects.event_trigger import EventTrigger
from freehold.kernel.objects.extension import Extension
from freehold.kernel.objects.function import Function
from freehold.kernel.objects.grant import PUBLIC, DefaultPrivilege, Grant
from freehold.kernel.objects.index import Index
from freehold.kernel.objects.owner import Owner
from freehold.kernel.objects.policy import Policy
from freehold.kernel.objects.role import Membership, Role
from freehold.kernel.objects.row_security import RowSecurity
from freehold.kernel.objects.schema import Schema
from freehold.kernel.objects.sequence import Sequence
from freehold.kernel.objects.setting import Setting
from freehold.kernel.objects.table import Table, TableFacts, table_key
from freehold.kernel.objects.trigger import Trigger
from freehold.kernel.objects.type import Domain, Enum
from freehold.kernel.objects.view import View

__all__ = [
    "PUBLIC",
    "Change",
    "Column",
    "Constraint",
    "DefaultPrivilege",
    "Domain",
    "Effort",
    "Enum",
    "EventTrigger",
    "Extension",
    "Function",
    "Grant",
    "Index",
    "Key",
    "Lock",
    "Membership",
    "Object",
    "Older",
    "Owner",
    "Policy",
    "Role",
    "RowSecurity",
    "Schema",
    "Sequence",
    "Setting",
    "Site",
    "Stage",
    "Table",
    "TableFacts",
    "Trigger",
    "Undo",
    "View",
    "table_key",
]
