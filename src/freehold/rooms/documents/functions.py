"""The functions that judge the documents of one column: one for each schema of each version, and one that chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.declare import name_of
from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, shortened, trusted
from freehold.kernel.objects import Function, Key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill
from freehold.rooms.documents.body import Body, Place
from freehold.rooms.documents.declare import Document
from freehold.rooms.documents.keywords import Judge
from freehold.rooms.documents.schema import Node, Schema

PACKAGE = __package__ or ""
DEEPEST = 100
"""References that may lead into each other: each costs a call, and the server's stack is 2 MB by default."""


@dataclass(frozen=True)
class Names:
    """What the objects of one document are called."""

    schema: str
    table: str
    column: str

    @property
    def base(self) -> str:
        """The beginning of every name."""
        return f"{self.table}_{self.column}"

    @property
    def violation(self) -> str:
        """The function that chooses the schema by version."""
        return shortened(f"violation_of_{self.base}", 42) + "_v1"

    @property
    def trigger_function(self) -> str:
        """The function that marks changed documents."""
        return shortened(f"mark_{self.base}", 42) + "_v1"

    @property
    def constraint(self) -> str:
        """The CHECK."""
        return shortened(f"{self.base}_document")

    def judge(self, version: int, number: int) -> str:
        """The function of one named schema of one version."""
        return shortened(f"judge_{self.base}", 34) + f"_{version}_{number}_v1"

    def qualified(self, name: str) -> Sql:
        """A quoted, qualified name."""
        return qualified(self.schema, name)


def names_of(declaration: Document) -> Names:
    """The names of a declared document's objects."""
    return Names(*name_of(declaration.entity), declaration.column)


def judge_functions(declaration: Document) -> Iterator[Function]:
    """Every function of the column, those that are called first."""
    names = names_of(declaration)
    for version, schema in declaration.schemas.items():
        yield from _judges(names, version, schema)
    yield _chooser(names, tuple(declaration.schemas))


def _judges(names: Names, version: int, schema: Schema) -> Iterator[Function]:
    own = {name: names.judge(version, number) for number, name in enumerate(schema.named)}
    called = {name: names.qualified(function) for name, function in own.items()}
    for name, node in schema.named.items():
        definition = judge_definition(called[name], node, called)
        yield _function(names, own[name], "jsonb, integer", definition, f"version {version} of the schema at {name}")


def judge_definition(function: Sql, node: Node, functions: dict[str, Sql]) -> Sql:
    """The statement that creates the function of one schema; ``functions`` are those of the schemas it refers to."""
    body = Body()
    Judge(body, functions).judge(Place(ddl("document")), node)
    text = fill(
        PACKAGE,
        "judge_body",
        variables=joined(body.variables, "\n    "),
        deepest=trusted(str(DEEPEST)),
        statements=body.text(),
    )
    return fill(PACKAGE, "create_judge", function=function, body=literal(text))


def _chooser(names: Names, versions: tuple[int, ...]) -> Function:
    cases = (
        ddl(
            "WHEN {} THEN {}(document, 0)",
            trusted(str(version)),
            names.qualified(names.judge(version, 0)),
        )
        for version in versions
    )
    function = names.qualified(names.violation)
    definition = fill(PACKAGE, "create_violation", function=function, versions=joined(cases, " "))
    return _function(names, names.violation, "jsonb, integer", definition, "judges a document by its version's schema")


def _function(names: Names, name: str, arguments: str, definition: Sql, reason: str) -> Function:
    return Function(
        schema=names.schema,
        function=name,
        arguments=arguments,
        definition=definition,
        returns="trigger" if not arguments else "text",
        settings=PINNED,
        reason=reason,
        after=(Key("schema", (names.schema,)),),
    )


def marker_function(declaration: Document) -> Function:
    """The trigger's function: a document that is changed is one of the newest version."""
    names = names_of(declaration)
    definition = fill(
        PACKAGE,
        "create_newest_version",
        function=names.qualified(names.trigger_function),
        version_column=ident(declaration.version_column),
        version=trusted(str(declaration.version)),
    )
    return _function(names, names.trigger_function, "", definition, "a changed document is one of the newest version")


def refuser() -> Function:
    """What every CHECK of a document calls to say what it refuses."""
    return Function(
        schema="freehold",
        function="refuse_document_v1",
        arguments="text, text[]",
        definition=fill(PACKAGE, "create_refuse_document"),
        returns="boolean",
        settings=PINNED,
        reason="says where a document violates its schema, and never what stands there",
        after=(Key("schema", ("freehold",)),),
    )
