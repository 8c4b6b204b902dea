"""A parent has at most so many children: counted where they are added, by one transaction after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.declare import name_of, table_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, qualified, shortened, trusted
from freehold.kernel.objects import Column, Constraint, Grant, Object, Table, TableFacts
from freehold.rooms.constraints.declare import Limit
from freehold.rooms.constraints.names import Place, condition, owned, readable, reference

ADDED = {"insert": ("fresh",), "update": ("fresh", "gone")}
TRANSITIONS = {"insert": "NEW TABLE AS fresh", "update": "OLD TABLE AS gone NEW TABLE AS fresh"}


@dataclass(frozen=True)
class Bond:
    """A rule with the foreign key from child to parent.

    Parameters
    ----------
    pairs
        The child's column and the parent's, the tenant's among them where the foreign key has it.
    """

    declaration: Limit
    place: Place
    parent: Table
    pairs: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The child's columns."""
        return tuple(child for child, _ in self.pairs)

    @property
    def guard(self) -> str:
        """The name of the table with a row a parent that was ever added to."""
        return shortened(f"{self.place.name}_guard")

    @property
    def counted(self) -> Sql:
        """The condition of the children that count."""
        return condition(self.declaration.where)

    def at_most(self, alias: str) -> Sql:
        """The limit of the parent that an alias's key leads to; where there is none, as many as there are."""
        if isinstance(self.declaration.at_most, int):
            return trusted(str(self.declaration.at_most))
        limit, parent = ident(self.declaration.at_most), self.of_parent("p", alias)
        return ddl("(SELECT p.{} FROM {} AS p WHERE {})", limit, self.parent.sql, parent)

    def of_parent(self, parent: str, child: str) -> Sql:
        """The condition that one alias is the parent of the other."""
        pairs = (ddl("{}.{} = {}.{}", ident(parent), ident(up), ident(child), ident(down)) for down, up in self.pairs)
        return joined(pairs, " AND ")

    def match(self, left: str, right: str) -> Sql:
        """The condition that two rows with the child's columns have the same parent."""
        return joined((ddl("{0}.{2} = {1}.{2}", ident(left), ident(right), ident(name)) for name in self.key), " AND ")


def bond_of(declaration: Limit, model: Model) -> Bond:
    """The foreign key that a limit counts along.

    Raises
    ------
    DeclarationError
        None leads to the parent, or several do and the declaration does not say which.
    """
    assert declaration.of is not None
    parent = table_of(declaration.of)
    key = reference(declaration, declaration.entity, parent, declaration.via)
    pairs = tuple((element.parent.name, element.column.name) for element in key.elements)
    suffix = f"{parent.name}_limit"
    return Bond(declaration, Place(declaration, model, suffix), model.table(*name_of(parent)), pairs)


def compile_limit(declaration: Limit, model: Model) -> Iterator[Object]:
    """The guard, and the triggers of child and parent."""
    bond = bond_of(declaration, model)
    reason = f"{bond.parent.schema}.{bond.parent.table} has no more of {declaration.title} than it may"
    yield model.machine_role("definer", "owns functions that run with their own rights; nobody acts as it")
    yield from readable(bond.place.table, model, reason, "SELECT")
    yield from readable(bond.parent, model, reason, "SELECT")
    yield from _guard(bond, reason)
    for verb, sides in ADDED.items():
        yield from _keeping(bond, verb, _added(bond, sides), bond.place.table, reason)
    if isinstance(declaration.at_most, str):
        yield from _keeping(bond, "lower", _lowered(bond, declaration.at_most), bond.parent, reason)


def _guard(bond: Bond, reason: str) -> Iterator[Object]:
    place, schema = bond.place, bond.place.table.schema
    kinds = (*((name, place.column(name).type) for name in bond.key), ("turns", "bigint"))
    columns = tuple(
        Column(schema=schema, table=bond.guard, column=name, type=kind, not_null=True) for name, kind in kinds
    )
    definer = place.model.role("definer")
    owner = place.table.facts.tenant_column if place.table.facts.tenant_column in bond.key else ""
    facts = TableFacts(
        tenant_column=owner,
        of=place.rule.table,
        role="state",
        application=frozenset(),
        writers=(definer,) if owner else (),
    )
    yield Table(
        schema=schema,
        table=bond.guard,
        persistence="u",
        options=("fillfactor=50",),
        columns=columns,
        facts=facts,
        reason=reason,
    )
    yield Constraint(
        schema=schema,
        table=bond.guard,
        constraint=shortened(f"{bond.guard}_pk"),
        type="p",
        definition=ddl("PRIMARY KEY ({})", idents(bond.key)),
        columns=bond.key,
        reason=reason,
    )
    rights = ("INSERT", "SELECT", "UPDATE")
    yield Grant(on="table", target=(schema, bond.guard), grantee=definer, privileges=rights, reason=reason)


def _keeping(bond: Bond, verb: str, changes: Sql, table: Table, reason: str) -> Iterator[Object]:
    place = bond.place
    holes = {
        "guard": qualified(place.table.schema, bond.guard),
        "key": idents(bond.key),
        "changes": changes,
        "base": place.table.sql,
        "of_parent": bond.match("b", "t"),
        "counted": bond.counted,
        "at_most": bond.at_most("t"),
    }
    keep = place.function("keep_limit", reason, holes | place.told(), of=verb)
    yield from owned(keep, place.model)
    event = "update" if verb == "lower" else verb
    text = ddl(
        "AFTER {} ON {} REFERENCING {} FOR EACH STATEMENT EXECUTE FUNCTION {}",
        trusted(event.upper()),
        table.sql,
        trusted(TRANSITIONS[event]),
        keep.signature,
    )
    yield place.trigger(verb, text, reason, table)


def _added(bond: Bond, sides: tuple[str, ...]) -> Sql:
    """How many children a statement adds to each parent."""
    signs = {"fresh": ddl("1"), "gone": ddl("-1")}
    given = joined((ddl("{} IS NOT NULL", ident(name)) for name in bond.key), " AND ")
    parts = (
        ddl(
            "SELECT {}, {} AS difference FROM {} WHERE {} AND {}",
            idents(bond.key),
            signs[side],
            ident(side),
            given,
            bond.counted,
        )
        for side in sides
    )
    return joined(parts, " UNION ALL ")


def _lowered(bond: Bond, limit: str) -> Sql:
    """The parents whose limit a statement lowers, under the names of the child's columns."""
    named = joined(ddl("n.{} AS {}", ident(up), ident(down)) for down, up in bond.pairs)
    key = bond.place.model.primary_key(bond.parent)
    same = joined((ddl("n.{0} = o.{0}", ident(name)) for name in key), " AND ")
    return ddl(
        "SELECT {0}, 1 AS difference FROM fresh AS n JOIN gone AS o ON {1} WHERE n.{2} < o.{2} OR "
        "(o.{2} IS NULL AND n.{2} IS NOT NULL)",
        named,
        same,
        ident(limit),
    )
