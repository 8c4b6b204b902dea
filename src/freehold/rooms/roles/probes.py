"""What proves the room: forbidden acts as the logins concerned, and exact lists of who holds what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, joined, literal
from freehold.kernel.objects import PUBLIC, Function, Grant, Key, Membership, Role, Setting
from freehold.kernel.room import Probe, Returns
from freehold.kernel.template import fill
from freehold.rooms.roles.attacks import attack_probes
from freehold.rooms.roles.declare import Roles
from freehold.rooms.roles.rights import layer_schemas, readers

PACKAGE = "freehold.rooms.roles"
ATTRIBUTES = ("bypassrls", "createdb", "createrole", "login", "replication", "superuser")
Rows = tuple[tuple[str, ...], ...]


def probe_roles(declaration: Roles, model: Model) -> Iterator[Probe]:
    """Every attack and every list of the room."""
    yield from attack_probes(declaration, model)
    yield from _right_lists(declaration, model)
    yield from _role_lists(model)
    yield from _function_lists(model)


def _list(promise: str, subject: Key, name: str, expected: Iterable[tuple[str, ...]] = (), **holes: Sql) -> Probe:
    rows: Rows = tuple(sorted(expected))
    return Probe(promise=promise, subject=subject, attack=fill(PACKAGE, name, **holes), expect=Returns(rows))


def _literals(names: Iterable[str]) -> Sql:
    return joined(literal(name) for name in names)


def _role_names(model: Model) -> tuple[str, ...]:
    return tuple(sorted(role.role for role in model.of_kind(Role)))


def _right_lists(declaration: Roles, model: Model) -> Iterator[Probe]:
    schemas = _literals(layer_schemas(model))
    for purpose in (*readers(declaration), *(("jobs",) if declaration.jobs else ())):
        role = model.role(purpose)
        for on, name, what in (
            (("table", "sequence"), "list_row_privileges", "tables"),
            (("column",), "list_column_privileges", "columns"),
        ):
            expected = [(".".join(g.target), word) for g in _grants(model, role, on) for word in g.privileges]
            promise = f"{role} holds on {what} what is declared, and no more"
            yield _list(promise, Key("role", (role,)), name, expected, role=literal(role), schemas=schemas)
        functions = {(".".join(g.target[:2]),) for g in _grants(model, role, ("function",))}
        promise = f"{role} executes the functions that are declared, and no more"
        subject = Key("role", (role,))
        yield _list(promise, subject, "list_function_privileges", functions, role=literal(role), schemas=schemas)
    yield _public(model, schemas)


def _grants(model: Model, role: str, on: tuple[str, ...]) -> Iterator[Grant]:
    return (g for g in model.of_kind(Grant) if g.grantee == role and g.on in on)


def _public(model: Model, schemas: Sql) -> Probe:
    """A grant to PUBLIC that the application declared itself is allowed; at least one name keeps the list valid SQL."""
    allowed = [
        f"{'relation' if g.on in {'table', 'sequence'} else g.on} {'.'.join(g.target[:2])} {word}"
        for g in _grants(model, PUBLIC, ("table", "sequence", "function", "schema"))
        for word in g.privileges
    ]
    return _list(
        "PUBLIC holds no right that is not declared",
        Key("role", (PUBLIC,)),
        "list_public_privileges",
        schemas=schemas,
        allowed=_literals(["", *sorted(allowed)]),
    )


def _role_lists(model: Model) -> Iterator[Probe]:
    layer = Key("role", (model.layer,))
    roles = _literals(_role_names(model))
    logins = [role.role for role in model.of_kind(Role) if role.login]
    attributes = [(r.role, a) for r in model.of_kind(Role) for a in ATTRIBUTES if getattr(r, a)]
    yield _list(
        "no role of the layer is a superuser, bypasses row security or makes roles",
        layer,
        "list_attributes",
        attributes,
        roles=roles,
    )
    members = [(m.role, m.member) for m in model.of_kind(Membership)]
    yield _list(
        "each role of the layer has the declared members, and no more", layer, "list_memberships", members, roles=roles
    )
    settings = [(s.role, f"{s.parameter}={s.value}") for s in model.of_kind(Setting) if s.role]
    yield _list("each login has its limits and a pinned search_path", layer, "list_settings", settings, roles=roles)
    property_ = _literals(logins)
    schemas = _literals(layer_schemas(model))
    yield _list("no login owns anything of the layer", layer, "list_login_property", roles=property_, schemas=schemas)
    yield _list("every password is kept as SCRAM-SHA-256", layer, "list_weak_passwords", roles=property_)


def _function_lists(model: Model) -> Iterator[Probe]:
    if not any(model.of_kind(Function)):
        return
    subject = Key("role", (model.layer,))
    schemas = _literals(layer_schemas(model))
    yield _list("every function of the layer pins its search_path", subject, "list_loose_functions", schemas=schemas)
    yield _list(
        "no function lends the rights of a superuser or of a login",
        subject,
        "list_powerful_definers",
        schemas=schemas,
    )
