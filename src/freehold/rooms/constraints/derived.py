"""Derived columns: statement triggers on the children add to their parents what each statement changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal, qualified, trusted
from freehold.kernel.objects import Domain, Function, Grant, Key, Object, Policy, Table
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill
from freehold.rooms.constraints.declare_derived import Kept
from freehold.rooms.constraints.names import PACKAGE, Place, column_in, condition, owned, readable, reference

CHANGES = {"insert": ("fresh",), "update": ("fresh", "gone"), "delete": ("gone",)}
NEW, OLD = "NEW TABLE AS fresh", "OLD TABLE AS gone"
TRANSITIONS = {"insert": NEW, "update": f"{OLD} {NEW}", "delete": OLD}
_EXACT = re.compile(r"(numeric|integer|bigint|smallint)(?:\((\d+)(?:,\s*(-?\d+))?\))?", re.IGNORECASE)
_ZERO = re.compile(r"\(*'?0+(\.0+)?'?(::[\w\". ]+)?\)*")
UNBOUNDED = 1_000_000
"""More digits after the point than any number has."""


@dataclass(frozen=True)
class Sum:
    """A rule with its two tables and the foreign key between them.

    Parameters
    ----------
    pairs
        The child's column and the parent's, the tenant's among them where the foreign key has it.
    """

    rule: Kept
    place: Place
    child: Table
    pairs: tuple[tuple[str, str], ...]

    @property
    def parent(self) -> Table:
        """The table with the derived column."""
        return self.place.table

    @property
    def column(self) -> Sql:
        """The derived column."""
        return ident(self.rule.column)

    @property
    def key(self) -> Sql:
        """The child's columns that name the parent."""
        return idents(child for child, _ in self.pairs)

    @property
    def parent_key(self) -> Sql:
        """The parent's columns that children refer to."""
        return joined(ddl("p.{}", ident(parent)) for _, parent in self.pairs)

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """The parent's columns with their types."""
        return tuple((parent, self.place.column(parent).type) for _, parent in self.pairs)

    def of_parent(self, child: str) -> Sql:
        """The condition that a child's alias has ``p`` for its parent."""
        pairs = (ddl("p.{} = {}.{}", ident(parent), ident(child), ident(own)) for own, parent in self.pairs)
        return joined(pairs, " AND ")

    def rows(self, table: Sql, sign: Sql) -> Sql:
        """Each child's parent, and what the child adds to it."""
        amount = ddl("COALESCE({}, 0)", ident(self.rule.amount)) if self.rule.amount else ddl("1")
        given = joined((ddl("{} IS NOT NULL", ident(child)) for child, _ in self.pairs), " AND ")
        counted = condition(self.rule.where)
        return ddl(
            "SELECT {}, {}{} AS difference FROM {} WHERE {} AND {}", self.key, sign, amount, table, given, counted
        )

    @property
    def total(self) -> Sql:
        """What the children of ``p`` add up to."""
        source = self.rows(self.child.sql, ddl(""))
        query = ddl("SELECT pg_catalog.sum(c.difference) FROM ({}) AS c WHERE {}", source, self.of_parent("c"))
        return ddl("COALESCE(({}), 0)", query)


def sum_of(declaration: Kept, model: Model) -> Sum:
    """The tables of a rule in the model.

    Raises
    ------
    DeclarationError
        No foreign key leads from child to parent, or several do; or one that a transaction may leave open.
    """
    key = reference(declaration, declaration.source, declaration.entity, declaration.via)
    if key.deferrable or (key.onupdate or "NO ACTION").upper() not in {"NO ACTION", "RESTRICT"}:
        raise DeclarationError(
            f"{declaration.title}.{declaration.column} needs a foreign key that always holds and moves no child",
            detail=f"deferrable={key.deferrable}, onupdate={key.onupdate}",
            hint="Take DEFERRABLE and ON UPDATE from the foreign key, or do not derive the column.",
        )
    pairs = tuple((element.parent.name, element.column.name) for element in key.elements)
    place = Place(declaration, model, f"{declaration.column}_kept")
    return Sum(declaration, place, model.table(*name_of(declaration.source)), pairs)


def compile_derived(declaration: Kept, model: Model) -> Iterator[Object]:
    """The triggers of child and parent, and what finds and mends a column that is not what it should be."""
    bond = sum_of(declaration, model)
    _check_column(bond, model)
    reason = f"{declaration.title}.{declaration.column} is what {declaration.source_title} adds up to"
    yield model.machine_role("definer", "owns functions that run with their own rights; nobody acts as it")
    yield from readable(bond.child, model, reason, "SELECT")
    yield from readable(bond.parent, model, reason, "SELECT")
    yield from _writable(bond, model, reason)
    for verb, sides in CHANGES.items():
        yield from _keeping(bond, verb, sides, reason)
    yield from _guarding(bond, reason)
    yield from _mending(bond, model, reason)


def _check_column(bond: Sum, model: Model) -> None:
    column = bond.place.column(bond.rule.column)
    kept = _scale(column.type, model)
    added = _scale(column_in(model, bond.child, bond.rule.amount).type, model) if bond.rule.amount else 0
    where = f"{bond.rule.title}.{column.column}"
    if kept is None or added is None or kept < added:
        raise DeclarationError(
            f"{where} cannot hold exactly what {bond.rule.source_title} adds up to",
            detail=f"{where} is {column.type}",
            hint="Use numeric or an integer type, with at least as many digits after the point as what is added up.",
        )
    if not column.not_null or not _ZERO.fullmatch(column.default):
        raise DeclarationError(
            f"{where} does not begin with 0",
            detail=f"default {column.default or 'none'}, {'NOT NULL' if column.not_null else 'nullable'}",
            hint='Declare it with nullable=False and server_default="0".',
        )


def _scale(kind: str, model: Model) -> int | None:
    """Digits after the point of an exact type, of a domain's base too; None for any other type."""
    domain = next((item for item in model.of_kind(Domain) if kind == qualified(*item.name)), None)
    found = _EXACT.fullmatch(domain.base if domain else kind)
    if not found:
        return None
    if found[1].lower() != "numeric":
        return 0
    return int(found[3] or 0) if found[2] else UNBOUNDED


def _writable(bond: Sum, model: Model, reason: str) -> Iterator[Object]:
    """The definer's way to the one column of every tenant's parents."""
    definer = model.role("definer")
    target = (*bond.parent.name, bond.rule.column)
    yield Grant(on="column", target=target, grantee=definer, privileges=("UPDATE",), reason=reason)
    if bond.parent.facts.tenant_column:
        yield Policy(
            schema=bond.parent.schema,
            table=bond.parent.table,
            policy="freehold_derived",
            command="UPDATE",
            roles=(definer,),
            using="true",
            check="true",
            reason="keeps derived columns of every tenant's rows",
        )


def _keeping(bond: Sum, verb: str, sides: tuple[str, ...], reason: str) -> Iterator[Object]:
    signs = {"fresh": ddl(""), "gone": ddl("-")}
    holes = {
        "parent": bond.parent.sql,
        "column": bond.column,
        "key": bond.key,
        "parent_key": bond.parent_key,
        "of_parent": bond.of_parent("d"),
        "changes": joined((bond.rows(ident(side), signs[side]) for side in sides), " UNION ALL "),
    }
    keep = bond.place.function("keep_derived", reason, holes, of=verb)
    yield from owned(keep, bond.place.model)
    text = ddl(
        "AFTER {} ON {} REFERENCING {} FOR EACH STATEMENT EXECUTE FUNCTION {}",
        trusted(verb.upper()),
        bond.child.sql,
        trusted(TRANSITIONS[verb]),
        keep.signature,
    )
    yield bond.place.trigger(f"{bond.parent.table}_{verb}", text, reason, bond.child)


def _guarding(bond: Sum, reason: str) -> Iterator[Object]:
    """Nobody but the functions above writes the column; they fire last, when no other trigger can still change it."""
    place, holes = bond.place, {"column_text": literal(bond.rule.column), "rule": literal(bond.place.name)}
    refuse = place.function("refuse_derived", reason, holes, definer=False)
    yield from owned(refuse, place.model)
    definer = literal(place.model.role("definer"))
    for event, verb, when, state in (
        ("INSERT", "insert", ddl("NEW.{} <> 0", bond.column), "FH093"),
        ("UPDATE", "update", ddl("OLD.{0} <> NEW.{0} AND CURRENT_USER <> {1}", bond.column, definer), "FH093"),
        ("UPDATE", "finite", ddl("NEW.{}::text IN ('NaN', 'Infinity', '-Infinity')", bond.column), "FH095"),
    ):
        head = ddl("AFTER {} ON {} FOR EACH ROW WHEN ({})", trusted(event), bond.parent.sql, when)
        yield place.trigger(verb, ddl("{} EXECUTE FUNCTION {}", head, _called(refuse, state)), reason)
    truncated = ddl("BEFORE TRUNCATE ON {} EXECUTE FUNCTION {}", bond.child.sql, _called(refuse, "FH094"))
    yield place.trigger(f"{bond.parent.table}_truncate", truncated, reason, bond.child)
    if bond.rule.reset_on_insert:
        reset = place.function("reset_derived", reason, {"column": bond.column}, definer=False)
        yield from owned(reset, place.model)
        head = ddl("BEFORE INSERT ON {} FOR EACH ROW WHEN (NEW.{} <> 0)", bond.parent.sql, bond.column)
        yield place.trigger("reset", ddl("{} EXECUTE FUNCTION {}", head, reset.signature), reason)


def _called(function: Function, state: str) -> Sql:
    return ddl("{}({})", qualified(function.schema, function.function), literal(state))


def _mending(bond: Sum, model: Model, reason: str) -> Iterator[Object]:
    names = [parent for _, parent in bond.pairs]
    shared = {"parent": bond.parent.sql, "column": bond.column, "parent_key": bond.parent_key, "total": bond.total}
    casts = [ddl("{})::{}", trusted(str(at)), trusted(kind)) for at, (_, kind) in enumerate(bond.kinds)]
    keys = (ddl("p.{} = (k.key->>{}", ident(name), cast) for name, cast in zip(names, casts, strict=True))
    find = {
        "after_key": joined(ddl("($1->>{}", cast) for cast in casts),
        "key_texts": joined(ddl("p.{}::text", ident(name)) for name in names),
    }
    for verb, arguments, returns, holes in (
        ("find_underived", "jsonb, integer", "TABLE(seen bigint, last jsonb, wrong jsonb)", find),
        ("mend_derived", "jsonb, boolean", "jsonb", {"of_key": joined(keys, " AND ")}),
    ):
        schema, name = bond.rule.function(verb)
        made = Function(
            schema=schema,
            function=name,
            arguments=arguments,
            definition=fill(PACKAGE, f"create_{verb}", function=qualified(schema, name), **shared, **holes),
            returns=returns,
            definer=True,
            settings=PINNED,
            reason=reason,
            after=(Key("schema", (schema,)),),
        )
        yield from owned(made, model)
        owner = model.role("owner")
        yield Grant(
            on="function", target=made.name, grantee=owner, privileges=("EXECUTE",), reason="a plan's owner mends"
        )
