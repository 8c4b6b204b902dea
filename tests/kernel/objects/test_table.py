"""Tables, partitioned tables and partitions, under awkward names too."""

from __future__ import annotations

import pytest

from freehold.errors import PlanError
from freehold.kernel.names import ident
from freehold.kernel.objects import Column, Constraint, Index, Lock, Object, Policy, RowSecurity, Schema, Table
from tests.kernel.objects.ground import ITEM, Ground, column, item, titles

AWKWARD = (
    "select",
    'qu"ote',
    "Capital Case",
    "per%cent %s {}",
    "l" * 60,
    "ñandú 表",
    "new\nline",
    "dot.ted",
    "it's",
    "$1",
)


def test_properties_there_and_back(ground: Ground) -> None:
    rich = item(persistence="u", options=("fillfactor=70", "autovacuum_enabled=false"), comment="it's \\ here")
    ground.settle(rich)
    ground.run("INSERT INTO shop.item VALUES (1)")
    steps = ground.settle(item(options=("fillfactor=90",)))
    assert {step.flag for step in steps} == {""}
    ground.settle(rich)
    assert ground.rows("SELECT id FROM shop.item") == [(1,)]
    (lost,) = ground.settle()
    assert (lost.flag, lost.change.loses) == ("--allow-data-loss", "every row of shop.item (1 rows)")


@pytest.mark.parametrize(
    ("damage", "lock"),
    [
        ("ALTER TABLE shop.item RESET (fillfactor)", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("ALTER TABLE shop.item SET (fillfactor = 20, parallel_workers = 2)", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("COMMENT ON TABLE shop.item IS NULL", Lock.SHARE_UPDATE_EXCLUSIVE),
        ("ALTER TABLE shop.item SET UNLOGGED", Lock.ACCESS_EXCLUSIVE),
        ("DROP TABLE shop.item", Lock.NONE),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, lock: Lock) -> None:
    steps = ground.mended(damage, item(options=("fillfactor=70",), comment="told"))
    assert {(step.flag, step.change.lock) for step in steps} == {("", lock)}


def part(name: str, bound: str, parent: str = "shop.item", **facts: str) -> Table:
    """A partition of ``shop.item``."""
    return Table(schema="shop", table=name, parent=parent, bound=bound, after=(ITEM,), **facts)  # type: ignore[arg-type]


def test_partitions_come_and_go(ground: Ground) -> None:
    parent = item(column("c", "text"), partition_key="LIST (c)")
    one, two = part("item_1", "FOR VALUES IN ('a', 'it''s')"), part("item_2", "DEFAULT", partition_key="HASH (id)")
    leaf = Table(
        schema="shop",
        table="item_21",
        parent="shop.item_2",
        bound="FOR VALUES WITH (modulus 1, remainder 0)",
        after=(two.key,),
    )
    ground.settle(parent, one, two, leaf)
    ground.run("INSERT INTO shop.item VALUES (1, 'a'), (2, 'z')")
    (made,) = ground.mended("DROP TABLE shop.item_21", parent, one, two, leaf)
    assert (made.change.lock, made.change.on) == (Lock.SHARE_UPDATE_EXCLUSIVE, "shop.item_2")
    (lost,) = ground.settle(parent, two, leaf)
    assert lost.change.loses == "every row of shop.item_1 (1 rows)"
    with pytest.raises(PlanError, match="partitioned in another way"):
        ground.plan(item(column("c", "text"), partition_key="LIST (id)"), two, leaf)
    ground.settle()


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_are_the_same_everywhere(ground: Ground, name: str) -> None:

    cells = Column(schema=name, table=name, column=name, type="integer", default="7", comment=name)
    quoted = '"' + name.replace('"', '""') + '"'
    short = quoted if len(name) < 60 else '"short"'
    place = f"{quoted}.{quoted}"
    objects: tuple[Object, ...] = (
        Schema(schema=name),
        Table(schema=name, table=name, columns=(cells,), comment=name),
        Constraint(
            schema=name, table=name, constraint=name, type="c", definition=f"CHECK ({quoted} > 0)", columns=(name,)
        ),
        Index(
            schema=name,
            table=name,
            index=f"{name[:50]} i",
            definition=f'CREATE INDEX "{short[1:-1]} i" ON {place} ({quoted})',
        ),
        RowSecurity(schema=name, table=name),
        Policy(schema=name, table=name, policy=name, using=f"{quoted} > 1"),
    )
    if len(name) == 60:
        objects = tuple(item for item in objects if item.kind != "index")
    ground.settle(*objects)
    ground.run(f"ALTER TABLE {place} ALTER {quoted} DROP DEFAULT, DROP CONSTRAINT {quoted}")
    assert [step.key for step in ground.settle(*objects)][:1] == [cells.key]
    assert titles(ground.settle())[-1].startswith("drop schema")


def test_reserved_words_are_quoted_as_the_server_quotes_them(ground: Ground) -> None:
    words = [row[0] for row in ground.rows("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")]
    assert [word for word in words if ident(word) == word] == []
