"""Columns of a derived table follow those of their table."""

from __future__ import annotations

from freehold.kernel.derived import copied, followed, listed, matched
from freehold.kernel.objects import Column

ID = Column(schema="s", table="t", column="id", type="bigint", not_null=True, identity="a")
SUM = Column(schema="s", table="t", column="sum", type="integer", default="a + b", generated="s")
TWICE = Column(schema="s", table="t", column="twice", type="integer", default="a * 2", generated="v")
KIND = Column(schema="s", table="t", column="kind", type="text", default="'x'::text")
AT = Column(schema="s", table="t", column="at", type="date", default="now()")


def test_values_follow_and_what_makes_them_does_not() -> None:
    made = [followed(c, "u", required=c is ID, reason="r") for c in (ID, SUM, TWICE, KIND, AT)]
    assert [(c.table, c.not_null, c.identity, c.generated, c.default) for c in made] == [
        ("u", True, "", "", ""),
        ("u", False, "", "", ""),
        ("u", False, "", "v", "a * 2"),
        ("u", False, "", "", "'x'::text"),
        ("u", False, "", "", ""),
    ]


def test_lists_and_conditions() -> None:
    assert copied((ID, TWICE, KIND)) == ("id", "kind")
    assert listed(("id", "order"), "x") == 'x.id, x."order"'
    assert listed(("id", "order")) == 'id, "order"'
    assert matched("a", "b", (("x", "id"), ("y", "order"))) == 'a.x = b.id AND a.y = b."order"'
