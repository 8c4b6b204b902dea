"""The declaration of who owns which table, and two short helpers for constraints that stay inside one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity

EVERY_TABLE = "*"
COLUMN = "tenant_id"


@dataclass(frozen=True, slots=True)
class Canaries:
    """Two tenants that live in production to be attacked there: ``freehold prove --canaries`` plants and attacks them.

    Parameters
    ----------
    one, two
        Their keys in the root table, as text. They are tenants like any other: a report of one tenant does not count
        them, a total over all tenants does, unless its query leaves these two out.
    """

    one: str
    two: str

    def __post_init__(self) -> None:
        if not self.one or not self.two or self.one == self.two:
            raise DeclarationError(
                f"Canaries are two tenants, and not {self.one!r} and {self.two!r}",
                hint="Name two keys of the root table that no customer has.",
            )


@dataclass(frozen=True, init=False)
class Tenancy:
    """Who owns the rows of each table.

    Parameters
    ----------
    root
        The table with one row a tenant; its single-column primary key is the tenant. None only in a layer without
        tenants, which says so with ``exempt={"*": "the reason"}``.
    column
        The column that names the owner, in every table that has it.
    shared
        Tables that all tenants read and none owns.
    exempt
        Tables outside the rule, each with the reason.
    exits
        Exits of the isolation ledger that are known and accepted, by the name that ``freehold prove tenancy`` prints,
        each with the reason: ``{"role nightly_dump": "dumps the whole database into the vault"}``.
    canaries
        Two tenants that live in production to be attacked there.
    log_only
        Owned tables whose guards refuse nothing yet, each with the reason: what they would refuse is noted
        (``freehold refusals``). No promise holds for these tables meanwhile, and their probes are not run.

    >>> Tenancy(None, exempt={"*": "one company's own books"}).single
    True
    """

    root: Entity | None
    column: str = COLUMN
    shared: tuple[Entity, ...] = ()
    exempt: Mapping[Entity | str, str] = field(default_factory=dict)
    exits: Mapping[str, str] = field(default_factory=dict)
    canaries: Canaries | None = None
    log_only: Mapping[Entity, str] = field(default_factory=dict)

    def __init__(
        self,
        root: Entity | None,
        column: str = COLUMN,
        shared: Iterable[Entity] = (),
        exempt: Mapping[Any, str] | None = None,
        exits: Mapping[str, str] | None = None,
        canaries: Canaries | None = None,
        log_only: Mapping[Any, str] | None = None,
    ) -> None:
        object.__setattr__(self, "root", root)
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "shared", tuple(shared))
        object.__setattr__(self, "exempt", dict(exempt or {}))
        object.__setattr__(self, "exits", dict(exits or {}))
        object.__setattr__(self, "canaries", canaries)
        object.__setattr__(self, "log_only", dict(log_only or {}))
        self._check_root()
        self._check_reasons()

    @property
    def single(self) -> bool:
        """Whether the layer has no tenants."""
        return self.root is None

    def _check_root(self) -> None:
        if self.single and self.log_only:
            raise DeclarationError("A layer without tenants has no guards to log", hint="Leave log_only out.")
        if self.single == (set(self.exempt) == {EVERY_TABLE}) and (self.single or EVERY_TABLE not in self.exempt):
            return
        raise DeclarationError(
            "A tenancy names the root table, or exempts every table with a reason",
            hint='Write Tenancy(Company, ...) or Tenancy(None, exempt={"*": "one company\'s own books"}).',
        )

    def _check_reasons(self) -> None:
        given = [*self.exempt.items(), *self.exits.items(), *self.log_only.items()]
        silent = [str(getattr(entity, "__name__", entity)) for entity, why in given if not why.strip()]
        if silent:
            raise DeclarationError(
                f"No reason is given for exempting {', '.join(silent)}",
                hint="Say in a sentence why the rule does not hold for it; the reason is printed by plan and prove.",
            )


def tenant_foreign_key(
    columns: str | Iterable[str],
    target: str | Iterable[str],
    name: str | None = None,
    *,
    column: str = COLUMN,
    **options: Any,
) -> sa.ForeignKeyConstraint:
    """A foreign key that cannot leave its tenant: both sides begin with the tenant column.

    Parameters
    ----------
    columns
        The referring column or columns, without the tenant column.
    target
        ``schema.table.column`` of each.
    name
        The constraint's name.
    column
        The tenant column's name on both sides.
    options
        Passed to ``ForeignKeyConstraint``.

    >>> fk = tenant_foreign_key("order_id", "retail.customer_order.id")
    >>> [element.target_fullname for element in fk.elements]
    ['retail.customer_order.tenant_id', 'retail.customer_order.id']
    """
    own = [columns] if isinstance(columns, str) else list(columns)
    others = [target] if isinstance(target, str) else list(target)
    tenant = f"{others[0].rpartition('.')[0]}.{column}"
    return sa.ForeignKeyConstraint([column, *own], [tenant, *others], name=name, **options)


def tenant_unique(*columns: str, name: str | None = None, column: str = COLUMN, **options: Any) -> sa.UniqueConstraint:
    """A unique constraint within one tenant.

    >>> list(tenant_unique("email")._pending_colargs)
    ['tenant_id', 'email']
    """
    return sa.UniqueConstraint(column, *columns, name=name, **options)
