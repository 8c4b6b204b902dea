"""The cast of roles: each with its attributes, what it is a member of, and its settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from freehold.kernel.model import Model
from freehold.kernel.objects import Membership, Object, Role, Setting
from freehold.rooms.roles.declare import Roles

APPLICATION = ("app_a", "app_b")
"""Two logins with the same rights: one serves while the other's password is rotated."""


@dataclass(frozen=True)
class Login:
    """One login of the layer.

    ``group`` is the purpose of the role it is a member of, or a predefined role's whole name.
    """

    purpose: str
    reason: str
    limit: int
    group: str = ""
    inherit: bool = True
    replication: bool = False
    connects: bool = True
    settings: tuple[tuple[str, str], ...] = field(default=())


def logins(declaration: Roles, model: Model) -> Iterator[Login]:
    """Every login that the declaration asks for."""
    path = ("search_path", search_path(model))
    patience = (("lock_timeout", declaration.lock_timeout),)
    idle = (("idle_in_transaction_session_timeout", declaration.idle_timeout),)
    short = (path, ("statement_timeout", declaration.statement_timeout), *patience, *idle)
    long = (path, ("statement_timeout", declaration.long_timeout), *patience, *idle)
    for purpose in APPLICATION:
        yield Login(
            purpose,
            "the application logs in as one of a pair, so that a password is rotated without a pause",
            declaration.connection_limit,
            group="rw",
            settings=short,
        )
    if declaration.read_only:
        yield Login(
            "ro", "reads for analysis and from replicas", 20, settings=(("default_transaction_read_only", "on"), *long)
        )
    if declaration.auditor:
        yield Login("auditor", "reads history", 5, settings=(("default_transaction_read_only", "on"), *long))
    if declaration.monitor:
        yield Login("monitor", "reads statistics and no rows", 5, group="pg_monitor", settings=short)
    if declaration.jobs:
        yield Login("jobs", "refreshes reports for every tenant", 10, settings=long)
    if declaration.migrator:
        settings = (path, *patience, *idle)
        yield Login("migrator", "changes the schema after SET ROLE", 3, group="owner", inherit=False, settings=settings)
    if declaration.backup:
        yield Login("backup", "streams base backups and WAL", 5, replication=True, connects=False, settings=(path,))


def search_path(model: Model) -> str:
    """What a login finds unqualified names in: the system catalog alone, unless the metadata has unqualified tables.

    The value has one element, so that PostgreSQL stores it exactly as it is written.
    """
    return "public" if any(table.schema is None for table in model.metadata.tables.values()) else "pg_catalog"


def cast_objects(declaration: Roles, model: Model) -> Iterator[Object]:
    """Roles, memberships and settings."""
    yield model.machine_role("owner", "owns the layer's objects; nobody logs in as it")
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    for login in logins(declaration, model):
        yield _role(login, model)
        if login.group:
            yield _membership(login, model)
        for parameter, value in login.settings:
            yield Setting(parameter=parameter, value=value, role=model.role(login.purpose), reason=login.reason)


def _role(login: Login, model: Model) -> Role:
    return Role(
        role=model.role(login.purpose),
        login=True,
        replication=login.replication,
        inherit=login.inherit,
        connection_limit=login.limit,
        reason=login.reason,
    )


def _membership(login: Login, model: Model) -> Membership:
    predefined = login.group.startswith("pg_")
    return Membership(
        role=login.group if predefined else model.role(login.group),
        member=model.role(login.purpose),
        inherit=login.inherit,
        reason=login.reason,
    )
