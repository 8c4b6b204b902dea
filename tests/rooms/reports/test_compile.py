"""What a declared report compiles to, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from freehold.errors import DeclarationError, UnknownTable
from freehold.kernel.compile import compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.objects import Key, Table
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.reports import ROOM, Report
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from freehold.testing.database import Database

from .layer import FAMILIES, REVENUE, Article, Base, Company, Sale, layer

BY_ARTICLE = sa.select(Sale.tenant_id, Sale.article, sa.func.count().label("n")).group_by(Sale.tenant_id, Sale.article)


def types(name: str, report: Report) -> dict[str, str]:
    """The columns of a report's table with their types."""
    table = layer(name, report).objects[Key("table", ("shop", report.name))]
    assert isinstance(table, Table)
    return {column.column: column.type for column in table.columns}


def test_a_second_apply_has_nothing_to_do(database: Database, layer_name: str) -> None:
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        assert plan_layer(connection, declared).steps == ()


def test_a_changed_query_changes_the_functions_and_the_table(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(layer_name, REVENUE))
        wider = REVENUE.query.add_columns(sa.func.max(Sale.amount).label("highest"))
        changed = layer(layer_name, Report("revenue", wider, REVENUE.keys))
        titles = {step.change.title for step in plan_layer(connection, changed).steps}
        assert titles == {
            "add column shop.revenue.highest",
            "replace function shop.refresh_revenue_v1()",
            "replace function shop.refresh_revenue_all_v1()",
        }
        apply_layer(connection, changed)
        assert plan_layer(connection, changed).steps == ()


def test_sums_and_counts_get_types_that_hold_them() -> None:
    assert types("t", REVENUE) == {"tenant_id": "UUID", "article": "VARCHAR", "amount": "NUMERIC", "sales": "BIGINT"}


def test_a_cast_is_taken_at_its_word() -> None:
    amount = sa.cast(sa.func.sum(Sale.amount), sa.Numeric(20, 2)).label("amount")
    report = Report("revenue", sa.select(Sale.tenant_id, amount).group_by(Sale.tenant_id))
    assert types("t", report)["amount"] == "NUMERIC(20, 2)"


def test_the_tenant_may_come_out_of_a_union() -> None:
    both = sa.union_all(sa.select(Sale.tenant_id, Sale.id), sa.select(Sale.tenant_id, Sale.id)).subquery()
    query = sa.select(both.c.tenant_id, sa.func.count().label("n")).group_by(both.c.tenant_id)
    assert types("t", Report("both", query)) == {"tenant_id": "UUID", "n": "BIGINT"}


def test_the_tenant_may_be_the_root() -> None:
    query = sa.select(Company.id.label("company"), sa.func.count(Sale.id).label("n")).join(
        Sale, Sale.tenant_id == Company.id, isouter=True
    )
    declared = layer("t", Report("sizes", query.group_by(Company.id)))
    table = declared.objects[Key("table", ("shop", "sizes"))]
    assert isinstance(table, Table)
    assert table.facts.tenant_column == "company"


def test_sources_are_found_wherever_the_query_reads_them() -> None:
    inner = sa.select(Article.code).where(Article.family == "drinks").scalar_subquery()
    listed = sa.select(Sale.tenant_id, Sale.article).where(Sale.article.in_(inner)).cte("listed")
    query = sa.select(listed.c.tenant_id, sa.select(sa.func.count(Company.id)).scalar_subquery().label("n"))
    assert set(Report("deep", query).sources) == {("shop", "sale"), ("shop", "article"), ("shop", "company")}


def test_a_layer_without_tenants_has_reports_too(database: Database, layer_name: str) -> None:
    data = sa.MetaData()
    sale = sa.Table("sale", data, sa.Column("id", sa.Integer, primary_key=True), sa.Column("article", sa.Text))
    query = sa.select(sale.c.article, sa.func.count().label("n")).group_by(sale.c.article)
    items = (Tenancy(None, exempt={"*": "one company's own books"}), Report("by_article", query, ["article"]))
    declared = compile_layer(Declarations(metadata=data, items=items, name=layer_name), [ROOM, TENANCY])
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        connection.execute("INSERT INTO public.sale VALUES (1, 'tea'), (2, 'tea')")
        assert connection.execute("SELECT public.refresh_by_article_v1()").fetchall() == [(1,)]
        assert connection.execute("TABLE public.by_article").fetchall() == [("tea", 2)]
        assert plan_layer(connection, declared).steps == ()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"query": sa.select(sa.func.count().label("n")).select_from(Sale)}, "does not say whose"),
    ({"query": sa.select(Sale.article, Sale.tenant_id)}, "does not say whose"),
    ({"query": BY_ARTICLE, "keys": ["artikel"]}, "does not select: artikel"),
    ({"query": BY_ARTICLE, "keys": ["article"], "fresh": "soon"}, "not a duration"),
    ({"query": BY_ARTICLE, "keys": ["article"], "when_stale": "lie"}, "cannot do 'lie'"),
    ({"query": sa.select(sa.literal(1).label("one"))}, "reads no table"),
    ({"query": sa.select(Article.family)}, "has no key"),
    ({"query": sa.select(Article.code, sa.func.my_own(Article.family).label("x")), "keys": ["code"]}, "has no type"),
    ({"query": sa.select(Article.code, sa.cast("{}", sa.JSON).label("x")), "keys": ["code"]}, "has no type"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_be_kept_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        layer("t", Report(name="refused", **arguments))


def test_a_table_outside_the_layer_is_refused() -> None:
    stranger = sa.Table("stranger", sa.MetaData(), sa.Column("id", sa.Integer))
    with pytest.raises(UnknownTable):
        layer("t", Report("strange", sa.select(stranger.c.id), ["id"]))


def test_two_reports_share_their_roles_and_their_state() -> None:
    declared = layer("t", REVENUE, FAMILIES, Report("by_article", BY_ARTICLE, ["article"]))
    assert Key("table", ("freehold", "report_state")) in declared.objects
    assert Key("table", ("freehold", "shared_report_state")) in declared.objects
    assert set(Base.metadata.tables) == {"shop.company", "shop.sale", "shop.article"}
