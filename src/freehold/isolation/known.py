"""What the layer declares, as the ledger's judge needs it: whose tables, which roles and functions, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from freehold.kernel.compile import Declared
from freehold.kernel.model import Model, Ownership
from freehold.kernel.objects import DefaultPrivilege, Function, Membership, Role

Name = tuple[str, str]
SHARED = "every tenant reads it and none owns it"


@dataclass(frozen=True)
class Known:
    """The declared side of the ledger.

    Parameters
    ----------
    owned
        The tenant column of each owned table.
    log_only
        Why the guard of an owned table refuses nothing yet.
    others
        Why no tenant owns the rows of each other declared table.
    roles
        The layer's roles, each with its reason.
    functions
        Schema, name and argument types of the layer's functions.
    memberships
        ``(role, member)``.
    closing
        Roles whose default privileges the layer declares.
    accepted
        Exits that the tenancy exempts by name, each with its reason.
    tenant_type
        The SQL type of the tenant.
    root
        The table with one row a tenant.
    """

    owned: Mapping[Name, str] = field(default_factory=dict)
    log_only: Mapping[Name, str] = field(default_factory=dict)
    others: Mapping[Name, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    functions: frozenset[tuple[str, str, str]] = frozenset()
    memberships: frozenset[tuple[str, str]] = frozenset()
    closing: frozenset[str] = frozenset()
    accepted: Mapping[str, str] = field(default_factory=dict)
    tenant_type: str = "uuid"
    root: Name = ("", "")

    @property
    def columns(self) -> frozenset[str]:
        """The names that owned tables give the tenant column; the root's key is a name like any other."""
        return frozenset(column for table, column in self.owned.items() if table != self.root)

    def column(self, table: Name, columns: tuple[str, ...]) -> str:
        """The column that says whose a row is: the declared one, else one of that name, else empty."""
        return self.owned.get(table) or next((name for name in columns if name in self.columns), "")


def known_of(declared: Declared, accepted: Mapping[str, str]) -> Known:
    """What a compiled layer says."""
    model = declared.model
    tables = {(table.schema, table.table): table for table in model.tables}
    owned = {name: table.facts.tenant_column for name, table in tables.items() if table.facts.tenant_column}
    return Known(
        owned=owned,
        log_only={name: table.facts.log_only for name, table in tables.items() if table.facts.log_only},
        others={name: _why(model, name, table.reason) for name, table in tables.items() if name not in owned},
        roles={role.role: role.reason for role in model.of_kind(Role)},
        functions=frozenset((f.schema, f.function, f.arguments) for f in model.of_kind(Function)),
        memberships=frozenset((m.role, m.member) for m in model.of_kind(Membership)),
        closing=frozenset(d.role for d in model.of_kind(DefaultPrivilege)),
        accepted=dict(accepted),
        tenant_type=model.tenant_type,
        root=next((n for n, found in model.classes.items() if found.ownership is Ownership.ROOT), ("", "")),
    )


def _why(model: Model, name: Name, reason: str) -> str:
    found = model.classes.get(name)
    if found and found.ownership is Ownership.SHARED:
        return SHARED
    return (found.reason if found else "") or reason
