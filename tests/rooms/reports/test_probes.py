"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import aliased

from freehold.kernel.objects import Function, Key
from freehold.rooms.reports import Report
from freehold.testing.database import Database
from tests.rooms.building import build

from .conftest import Built
from .layer import Sale, broken, layer, plant, verdicts

MINE = "after a refresh shop.revenue says what its query says"
ALL = "refreshing every tenant gives shop.revenue what each tenant's own query says"
APART = "a tenant's refresh of shop.revenue writes no other tenant's row"
GUTTED = (
    "CREATE OR REPLACE FUNCTION shop.{}() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
    " SET search_path = pg_catalog, pg_temp"
    " AS 'SELECT 0::bigint'"
)


def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    found = verdicts(built.connection, built.declared)
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert len(found) == 8 + 6


@pytest.mark.parametrize(("function", "promises"), [("refresh_revenue_v1", [MINE]), ("refresh_revenue_all_v1", [ALL])])
def test_a_gutted_refresh(built: Built, function: str, promises: list[str]) -> None:
    built.connection.execute(GUTTED.format(function).encode())
    assert broken(built.connection, built.declared) == promises
    whole = built.declared.objects[Key("function", ("shop", function, ""))]
    assert isinstance(whole, Function)
    built.connection.execute(whole.definition.encode())
    assert broken(built.connection, built.declared) == []


def test_an_unguarded_report_table(built: Built) -> None:
    built.connection.execute("ALTER TABLE shop.revenue DISABLE ROW LEVEL SECURITY")
    assert ALL in broken(built.connection, built.declared)
    built.connection.execute("ALTER TABLE shop.revenue ENABLE ROW LEVEL SECURITY")
    assert broken(built.connection, built.declared) == []


def test_a_strangers_policy_on_the_report_table(built: Built) -> None:
    built.connection.execute("CREATE POLICY open ON shop.revenue FOR SELECT USING (true)")
    assert ALL in broken(built.connection, built.declared)
    built.connection.execute("DROP POLICY open ON shop.revenue")
    assert broken(built.connection, built.declared) == []


def test_a_tenants_refresh_that_reads_every_tenant(built: Built) -> None:
    owner = sql.SQL("ALTER FUNCTION shop.refresh_revenue_v1() OWNER TO {}")
    built.connection.execute(owner.format(sql.Identifier(f"{built.name}_refresh")))
    assert APART in broken(built.connection, built.declared)
    built.connection.execute(owner.format(sql.Identifier(f"{built.name}_reporter")))
    assert broken(built.connection, built.declared) == []


@pytest.mark.parametrize(
    ("right", "words"),
    [("INSERT", "insert into"), ("UPDATE", "update"), ("DELETE", "delete from"), ("TRUNCATE", "truncate")],
)
def test_a_right_of_the_application_on_the_report(built: Built, right: str, words: str) -> None:
    role = sql.Identifier(f"{built.name}_rw")
    built.connection.execute(sql.SQL("GRANT {} ON shop.revenue TO {}").format(sql.SQL(right), role))
    assert broken(built.connection, built.declared) == [f"the application cannot {words} shop.revenue"]
    built.connection.execute(sql.SQL("REVOKE {} ON shop.revenue FROM {}").format(sql.SQL(right), role))
    assert broken(built.connection, built.declared) == []


def test_the_applications_right_to_refresh_everybody(built: Built) -> None:
    role = sql.Identifier(f"{built.name}_rw")
    built.connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION shop.refresh_revenue_all_v1() TO {}").format(role))
    assert broken(built.connection, built.declared) == ["the application cannot refresh every tenant of shop.revenue"]
    built.connection.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION shop.refresh_revenue_all_v1() FROM {}").format(role))
    assert broken(built.connection, built.declared) == []


def test_a_query_that_joins_across_tenants_is_found_out(database: Database, layer_name: str) -> None:
    """It forgets the tenant in a join: under one tenant's policies it is right, over all tenants it is not."""
    other = aliased(Sale)
    query = (
        sa.select(Sale.tenant_id, sa.func.count().label("pairs"))
        .join(other, other.article == Sale.article)
        .group_by(Sale.tenant_id)
    )
    declared = layer(layer_name, Report("pairs", query))
    with database.connect(autocommit=True) as connection:
        build(connection, declared)
        plant(connection)
        assert broken(connection, declared) == [
            "refreshing every tenant gives shop.pairs what each tenant's own query says"
        ]
