"""Every way to write an address comes to the same connection string."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from freehold.errors import InputError
from freehold.runtime.nodes import conninfo

PLACE = {"user": "ana", "password": "a b/c@d", "host": "db", "port": "6432", "dbname": "shop"}
URL = sa.URL.create("postgresql+psycopg", "ana", "a b/c@d", "db", 6432, "shop")


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgresql+psycopg://ana:a%20b%2Fc%40d@db:6432/shop",
        "postgres://ana:a%20b%2Fc%40d@db:6432/shop",
        "user=ana password='a b/c@d' host=db port=6432 dbname=shop",
    ],
)
def test_one_address(url: str | sa.URL) -> None:
    found = conninfo_to_dict(conninfo(url))
    assert {name: str(found[name]) for name in PLACE} == PLACE


def test_several_hosts() -> None:
    found = conninfo_to_dict(conninfo("postgresql://ana@one:1,two:2/shop?target_session_attrs=read-write"))
    assert (found["host"], found["port"], found["target_session_attrs"]) == ("one,two", "1,2", "read-write")


def test_no_address() -> None:
    with pytest.raises(InputError):
        conninfo("mysql://db")
