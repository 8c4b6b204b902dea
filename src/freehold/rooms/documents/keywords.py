"""Each keyword of JSON Schema as statements of PL/pgSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.kernel.names import Sql, ddl, joined, literal, trusted
from freehold.rooms.documents.body import Body, Place, step
from freehold.rooms.documents.formats import FORMATS
from freehold.rooms.documents.patterns import translate
from freehold.rooms.documents.schema import Node, constant

HIGHEST = 2**31 - 1
"""The highest integer: no value that fits into a row has as many parts."""
ANY_KEY = literal("*")
"""Stands in a pointer for a property that the schema does not name: its name is data."""
KINDS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "array": frozenset({"prefixItems", "items", "contains", "minItems", "maxItems", "uniqueItems"}),
    "object": frozenset(
        {
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "dependentRequired",
            "dependentSchemas",
        }
    ),
}
"""The keywords that judge values of one type and let every other pass."""


@dataclass
class Judge:
    """Writes the statements of one function.

    Parameters
    ----------
    body
        Where they go.
    functions
        The quoted, qualified function of each named schema.
    """

    body: Body
    functions: Mapping[str, Sql]

    def judge(self, place: Place, node: Node) -> None:
        """Statements that leave the place's block where its value does not satisfy the schema."""
        if isinstance(node, bool):
            if not node:
                self.body.fail(place, "false")
            return
        self._general(place, node)
        known = _kind(node.get("type"))
        for kind, keywords in KINDS.items():
            if keywords.isdisjoint(node) or known not in {"", kind}:
                continue
            if known:
                self._of_kind(kind, place, node)
            else:
                with self.body.when("jsonb_typeof({}) = {}", place.value, literal(kind)):
                    self._of_kind(kind, place, node)
        self._applied(place, node)

    def _of_kind(self, kind: str, place: Place, node: Mapping[str, Any]) -> None:
        writers: Mapping[str, Callable[[Place, Mapping[str, Any]], None]] = {
            "string": self._text,
            "number": self._number,
            "array": self._array,
            "object": self._object,
        }
        writers[kind](place, node)

    def _general(self, place: Place, node: Mapping[str, Any]) -> None:
        if "type" in node:
            with self.body.when("{}", _mistyped(place.value, node["type"])):
                self.body.fail(place, "type")
        if "const" in node:
            with self.body.when("{} <> {}", place.value, _jsonb(node["const"])):
                self.body.fail(place, "const")
        if "enum" in node:
            values = joined(_jsonb(value) for value in node["enum"])
            with self.body.when("{} NOT IN ({})", place.value, values):
                self.body.fail(place, "enum")

    def _text(self, place: Place, node: Mapping[str, Any]) -> None:
        text = self.body.variable("text")
        self.body.add("{} := {} #>> '{{}}';", text, place.value)
        for keyword, sign in (("minLength", ddl("<")), ("maxLength", ddl(">"))):
            if keyword in node:
                with self.body.when("char_length({}) {} {}", text, sign, _whole(node[keyword])):
                    self.body.fail(place, keyword)
        patterns = {"pattern": translate(node["pattern"])} if "pattern" in node else {}
        if "format" in node:
            patterns["format"] = FORMATS[node["format"]]
        for keyword, pattern in patterns.items():
            with self.body.when('{} COLLATE "C" !~ {}', text, literal(pattern)):
                self.body.fail(place, keyword)

    def _number(self, place: Place, node: Mapping[str, Any]) -> None:
        number = self.body.variable("numeric")
        self.body.add("{} := {}::numeric;", number, place.value)
        signs = (("minimum", "<"), ("maximum", ">"), ("exclusiveMinimum", "<="), ("exclusiveMaximum", ">="))
        for keyword, sign in signs:
            if keyword in node:
                with self.body.when("{} {} {}", number, trusted(sign), _numeric(node[keyword])):
                    self.body.fail(place, keyword)
        if "multipleOf" in node:
            with self.body.when("{} % {} <> 0", number, _numeric(node["multipleOf"])):
                self.body.fail(place, "multipleOf")

    def _array(self, place: Place, node: Mapping[str, Any]) -> None:
        size = ddl("jsonb_array_length({})", place.value)
        self._sizes(place, node, size, ("minItems", "maxItems"))
        first = tuple(node.get("prefixItems", ()))
        for number, child in enumerate(first):
            item = self.body.variable("jsonb")
            self.body.add("{} := {} -> {};", item, place.value, trusted(str(number)))
            with self.body.when("{} IS NOT NULL", item):
                self.judge(place.below(item, literal(str(number))), child)
        if node.get("items", True) is False:
            with self.body.when("{} > {}", size, trusted(str(len(first)))):
                self.body.fail(place, "items")
        elif node.get("items", True) not in (True, {}):
            self._items(place, node["items"], len(first), size)
        if "contains" in node:
            self._contains(place, node, size)
        if node.get("uniqueItems"):
            alike = "(SELECT count(*) <> count(DISTINCT i.item) FROM jsonb_array_elements({}) AS i(item))"
            with self.body.when(alike, place.value):
                self.body.fail(place, "uniqueItems")

    def _items(self, place: Place, node: Node, first: int, size: Sql) -> None:
        item, number = self.body.variable("jsonb"), self.body.variable("integer")
        begin = trusted(str(first))
        self.body.add("FOR {} IN {} .. {} - 1 LOOP", number, begin, size)
        # A loop declares its variable anew, so that the name inside is the loop's.
        self.body.add("{} := {} -> {};", item, place.value, number)
        self.judge(place.below(item, ddl("{}::text", number)), node)
        self.body.add("END LOOP;")

    def _contains(self, place: Place, node: Mapping[str, Any], size: Sql) -> None:
        item, number, found = (self.body.variable(kind) for kind in ("jsonb", "integer", "integer"))
        self.body.add("{} := 0;", found)
        self.body.add("FOR {} IN 0 .. {} - 1 LOOP", number, size)
        self.body.add("{} := {} -> {};", item, place.value, number)
        with self.body.trial(place.below(item)) as trial:
            self.judge(trial, node["contains"])
            self.body.add("{0} := {0} + 1;", found)
        self.body.add("END LOOP;")
        self.body.add("violation := NULL;")
        least = node.get("minContains", 1)
        with self.body.when("{} < {}", found, _whole(least)):
            self.body.fail(place, "minContains" if "minContains" in node else "contains")
        if "maxContains" in node:
            with self.body.when("{} > {}", found, _whole(node["maxContains"])):
                self.body.fail(place, "maxContains")

    def _sizes(self, place: Place, node: Mapping[str, Any], size: Sql, keywords: tuple[str, str]) -> None:
        for keyword, sign in zip(keywords, (ddl("<"), ddl(">")), strict=True):
            if keyword in node:
                with self.body.when("{} {} {}", size, sign, _whole(node[keyword])):
                    self.body.fail(place, keyword)

    def _object(self, place: Place, node: Mapping[str, Any]) -> None:
        self._required(place, "required", node.get("required", ()))
        for name, needed in node.get("dependentRequired", {}).items():
            with self.body.when("{} ? {}", place.value, literal(name)):
                self._required(place, "dependentRequired", needed)
        size = ddl("(SELECT count(*) FROM jsonb_object_keys({}))", place.value)
        self._sizes(place, node, size, ("minProperties", "maxProperties"))
        for name, child in node.get("properties", {}).items():
            if child in (True, {}):
                continue
            value = self.body.variable("jsonb")
            self.body.add("{} := {} -> {};", value, place.value, literal(name))
            with self.body.when("{} IS NOT NULL", value):
                self.judge(place.below(value, step(name)), child)
        self._others(place, node)
        for name, child in node.get("dependentSchemas", {}).items():
            with self.body.when("{} ? {}", place.value, literal(name)):
                self.judge(place, child)

    def _required(self, place: Place, keyword: str, names: Sequence[str]) -> None:
        if not names:
            return
        listed = _names(names)
        with self.body.when("NOT {} ?& {}", place.value, listed):
            missing = ddl(
                "(SELECT replace(replace(n.name, '~', '~0'), '/', '~1') FROM unnest({}) WITH ORDINALITY"
                " AS n(name, number) WHERE NOT {} ? n.name ORDER BY n.number LIMIT 1)",
                listed,
                place.value,
            )
            self.body.fail(place, keyword, literal("/"), missing)

    def _others(self, place: Place, node: Mapping[str, Any]) -> None:
        """Properties by pattern, those that nothing names, and the names themselves."""
        own, more = tuple(node.get("properties", {})), node.get("additionalProperties", True)
        patterns = node.get("patternProperties", {})
        if more is False and not patterns:
            with self.body.when("{} - {} <> '{{}}'::jsonb", place.value, _names(own)):
                self.body.fail(place, "additionalProperties")
        elif patterns or more not in (True, {}):
            self._each(place, own, patterns, more)
        if node.get("propertyNames", True) not in (True, {}):
            name = self.body.variable("jsonb")
            self.body.add(
                "FOR {} IN SELECT to_jsonb(k.name) FROM jsonb_object_keys({}) AS k(name) LOOP", name, place.value
            )
            self.judge(place.below(name, ANY_KEY), node["propertyNames"])
            self.body.add("END LOOP;")

    def _each(self, place: Place, own: tuple[str, ...], patterns: Mapping[str, Node], more: Node) -> None:
        name, value, known = (self.body.variable(kind) for kind in ("text", "jsonb", "boolean"))
        self.body.add("FOR {}, {} IN SELECT e.key, e.value FROM jsonb_each({}) AS e LOOP", name, value, place.value)
        self.body.add("{} := {} = ANY ({});", known, name, _names(own))
        inside = place.below(value, ANY_KEY)
        for pattern, child in patterns.items():
            with self.body.when('{} COLLATE "C" ~ {}', name, literal(translate(pattern))):
                self.body.add("{} := true;", known)
                self.judge(inside, child)
        with self.body.when("NOT {}", known):
            if more is False:
                self.body.fail(place, "additionalProperties")
            else:
                self.judge(inside, more)
        self.body.add("END LOOP;")

    def _applied(self, place: Place, node: Mapping[str, Any]) -> None:
        """Schemas that judge the same value."""
        if "$ref" in node:
            self.body.add("violation := {}({}, depth + 1);", self.functions[node["$ref"]], place.value)
            with self.body.when("violation IS NOT NULL"):
                self.body.add("violation := {};", joined((*place.pointer, ddl("violation")), " || "))
                self.body.add("EXIT {};", place.label)
        for child in node.get("allOf", ()):
            self.judge(place, child)
        if "anyOf" in node:
            self._counted(place, "anyOf", node["anyOf"], ddl("= 0"))
        if "oneOf" in node:
            self._counted(place, "oneOf", node["oneOf"], ddl("<> 1"))
        if "not" in node:
            self._counted(place, "not", (node["not"],), ddl("= 1"))
        if "if" in node and ("then" in node or "else" in node):
            self._chosen(place, node)

    def _counted(self, place: Place, keyword: str, nodes: Sequence[Node], wrong: Sql) -> None:
        count = self.body.variable("integer")
        self.body.add("{} := 0;", count)
        for number, child in enumerate(nodes):
            guard = keyword == "anyOf" and number > 0
            if guard:
                self.body.add("IF {} = 0 THEN", count)
            with self.body.trial(place) as trial:
                self.judge(trial, child)
                self.body.add("{0} := {0} + 1;", count)
            if guard:
                self.body.add("END IF;")
        self.body.add("violation := NULL;")
        with self.body.when("{} {}", count, wrong):
            self.body.fail(place, keyword)

    def _chosen(self, place: Place, node: Mapping[str, Any]) -> None:
        holds = self.body.variable("boolean")
        self.body.add("{} := false;", holds)
        with self.body.trial(place) as trial:
            self.judge(trial, node["if"])
            self.body.add("{} := true;", holds)
        self.body.add("violation := NULL;")
        with self.body.when("{}", holds):
            self.judge(place, node.get("then", True))
        with self.body.when("NOT {}", holds):
            self.judge(place, node.get("else", True))


def _kind(declared: Any) -> str:
    """The one type of a value that has passed the keyword ``type``, or "" where several are possible."""
    kinds = {
        "number" if kind == "integer" else kind
        for kind in ([declared] if isinstance(declared, str) else declared or ())
    }
    return str(next(iter(kinds))) if len(kinds) == 1 else ""


def _mistyped(value: Sql, declared: Any) -> Sql:
    """The condition that a value has none of the declared types."""
    kinds = [declared] if isinstance(declared, str) else list(declared)
    plain = [literal(kind) for kind in kinds if kind != "integer"]
    sign = ddl("<> {}", plain[0]) if len(plain) == 1 else ddl("NOT IN ({})", joined(plain))
    parts = [ddl("jsonb_typeof({}) {}", value, sign)] if plain else []
    if "integer" in kinds and "number" not in kinds:
        # CASE keeps the cast from values that are no numbers; an IF would end at its THEN without parentheses.
        broken = "(CASE WHEN jsonb_typeof({0}) = 'number' THEN trunc({0}::numeric) <> {0}::numeric ELSE true END)"
        parts.append(ddl(broken, value))
    return joined(parts, " AND ")


def _jsonb(value: Any) -> Sql:
    return ddl("{}::jsonb", literal(constant(value)))


def _numeric(value: Any) -> Sql:
    return ddl("{}::numeric", literal(constant(value)))


def _whole(value: Any) -> Sql:
    """A size: what no text or array reaches is cut to what an integer holds."""
    return trusted(str(min(int(value), HIGHEST)))


def _names(names: Sequence[str]) -> Sql:
    return ddl("ARRAY[{}]::text[]", joined(literal(name) for name in names))
