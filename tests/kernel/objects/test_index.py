"""Indexes of every access method and shape, online on live tables and on partitioned ones."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import Index, Key, Lock, Table, View
from tests.kernel.objects.ground import Ground, column, item, titles

COLUMNS = (column("a", "integer"), column("t", "text"), column("j", "jsonb"), column("r", "int4range"))


def index(name: str, rest: str, unique: str = "", table: str = "item") -> Index:
    """An index of ``shop.item``."""
    definition = f"CREATE {unique}INDEX {name} ON shop.{table} {rest}"
    return Index(schema="shop", table=table, index=name, definition=definition)


ALL = (
    index("i_plain", "(a DESC NULLS LAST)"),
    index("i_partial", "(a) WHERE t LIKE 'x%'"),
    index("i_expression", "(lower(t) text_pattern_ops, (a % 2))"),
    index("i_covering", "(a) INCLUDE (t) NULLS NOT DISTINCT", "UNIQUE "),
    index("i_gin", "USING gin (j jsonb_path_ops)"),
    index("i_gist", "USING gist (r)"),
    index("i_brin", "USING brin (id) WITH (pages_per_range='16')"),
    index("i_hash", "USING hash (t)"),
)


def test_every_shape_there_and_back(ground: Ground) -> None:
    ground.settle(item(*COLUMNS), *ALL)
    steps = ground.settle(item(*COLUMNS))
    assert [step.change.title for step in steps if step.flag] == ["drop index shop.i_covering"]
    steps = ground.settle(item(*COLUMNS), *ALL)
    assert {(step.change.lock, step.change.transactional) for step in steps} == {(Lock.SHARE_UPDATE_EXCLUSIVE, False)}


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DROP INDEX shop.i_gin", ["create index shop.i_gin"]),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.i_hash'::regclass",
            ["create index shop.i_hash", "replace index shop.i_hash"],
        ),
        (
            "DROP INDEX shop.i_plain; CREATE INDEX i_plain ON shop.item (a)",
            ["create index shop.i_plain", "replace index shop.i_plain"],
        ),
        ("CREATE INDEX stranger ON shop.item (a)", []),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, expected: list[str]) -> None:
    steps = ground.mended(damage, item(*COLUMNS), *ALL)
    assert titles(steps) == expected
    assert {step.flag for step in steps} <= {""}


def test_partitions_get_theirs_one_by_one(ground: Ground) -> None:
    parent = item(*COLUMNS, partition_key="RANGE (id)")
    parts = [
        Table(
            schema="shop",
            table=f"Item {n}",
            parent="shop.item",
            bound=f"FOR VALUES FROM ({n}0) TO ({n + 1}0)",
            after=(Key("table", ("shop", "item")),),
        )
        for n in (0, 1)
    ]
    valid = (
        "SELECT indisvalid, count(h.inhrelid) FROM pg_index LEFT JOIN pg_inherits AS h ON inhparent = indexrelid "
        "WHERE indexrelid = 'shop.i_plain'::regclass GROUP BY 1"
    )
    ground.settle(parent, *parts, ALL[0])
    assert ground.rows(valid) == [(True, 2)]
    ground.settle(parent, *parts)
    steps = ground.settle(parent, *parts, ALL[0])
    assert [s.change.lock for s in steps if not s.change.transactional] == [Lock.SHARE_UPDATE_EXCLUSIVE] * 2
    assert ground.rows(valid) == [(True, 2)]
    ground.run("DROP INDEX shop.i_plain; CREATE INDEX i_plain ON ONLY shop.item (a DESC NULLS LAST)")
    ground.settle(parent, *parts, ALL[0])
    assert ground.rows(valid) == [(True, 2)]


def test_index_of_a_materialized_view_follows_it(ground: Ground) -> None:
    def kept(number: int) -> tuple[View, Index]:
        text = f"SELECT id, a + {number} AS n FROM shop.item"
        view = View(
            schema="shop", view="kept", definition=text, materialized=True, after=(Key("table", ("shop", "item")),)
        )
        return view, index("i_kept", "(n)", table="kept")

    ground.settle(item(*COLUMNS), *kept(1))
    steps = ground.settle(item(*COLUMNS), *kept(2))
    assert titles(steps) == ["replace view shop.kept and 1 that go with it"]
