"""A server that is down, refuses the login, lacks the database, or may not be written: told by every command."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from psycopg import sql

from freehold import Database
from freehold.errors import (
    DatabaseMissing,
    LoginRefused,
    ServerDown,
    ServerFull,
    ServerTooOld,
    UnsafeLogin,
)
from freehold.operations import check_server
from freehold.servers.owned import OwnedServer
from freehold.testing.servers import wait_for_replay
from tests.bad_input.ground import NOWHERE, ONE, PASSWORD, Ground, refusal

COMMANDS = (
    ("plan",),
    ("apply", "--yes"),
    ("status",),
    ("prove",),
    ("refresh",),
    ("keys", "list"),
    ("keys", "rotate"),
    ("credentials", "app_a"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_says_that_the_server_is_down(unserved: Ground, arguments: tuple[str, ...]) -> None:
    error = refusal(unserved.command, *arguments)
    assert error["code"] == "server.down"
    assert "127.0.0.1:1" in error["message"]


def test_wrong_password_and_missing_database(ground: Ground) -> None:
    wrong = {
        ground.database.url(user="postgres", password="wrong-one"): "server.login-refused",
        ground.database.url(user="nobody_here", password="wrong-one"): "server.login-refused",
        ground.database.server.url("absent"): "server.database-missing",
    }
    for url, code in wrong.items():
        for arguments in (("status",), ("apply", "--yes")):
            error = refusal(ground.command, *arguments, "--url", url)
            assert error["code"] == code
            assert f":{ground.database.server.port}" in error["message"]
            assert "wrong-one" not in str(error)


def test_application_is_told_the_same(ground: Ground, connect: Callable[..., Database]) -> None:
    server = ground.database.server
    login = {"user": f"{ground.name}_app_a", "password": PASSWORD}
    refused = {
        NOWHERE: ServerDown,
        ground.url.replace(PASSWORD.replace(" ", "%20"), "wrong-one"): LoginRefused,
        server.url("absent", **login): DatabaseMissing,
        ground.database.url(): UnsafeLogin,
        ground.database.url(user=f"{ground.name}_app_a", password=""): LoginRefused,
    }
    for url, kind in refused.items():
        with pytest.raises(kind) as caught:
            connect(url)
        assert caught.value.hint
        assert "wrong-one" not in str(caught.value)


def test_a_login_that_may_do_nothing(ground: Ground, layer_name: str) -> None:
    ground.run(f"CREATE ROLE {layer_name}_weak LOGIN PASSWORD 'weak'")
    ground.run(f"GRANT CONNECT ON DATABASE {ground.database.name} TO {layer_name}_weak")
    weak = ground.database.url(user=f"{layer_name}_weak", password="weak")
    before = ground.contents()
    for arguments in COMMANDS:
        error = refusal(ground.command, *arguments, "--url", weak, "--cache", "fresh")
        assert error["code"] == "server.privilege-missing", arguments
    ground.run(f"REVOKE CONNECT ON DATABASE {ground.database.name} FROM {layer_name}_weak")
    assert ground.contents() == before
    assert refusal(ground.command, "plan", "--url", weak)["code"] == "server.privilege-missing"


def test_a_step_that_the_login_may_not_run(ground: Ground, layer_name: str) -> None:
    """It may make databases and roles, yet is no member of the layer's: it is told so, and nothing is done."""
    ground.run(f"CREATE ROLE {layer_name}_half LOGIN CREATEDB CREATEROLE PASSWORD 'half'")
    ground.run(f"GRANT CONNECT ON DATABASE {ground.database.name} TO {layer_name}_half")
    ground.write(
        "models.py", "    email: Mapped[str | None]", "    email: Mapped[str | None]\n    city: Mapped[str | None]"
    )
    half = ground.database.url(user=f"{layer_name}_half", password="half")
    before = ground.contents()
    error = refusal(ground.command, "apply", "--yes", "--url", half)
    assert error["code"] == "server.privilege-missing"
    assert ground.contents() == before


class _Old:
    """What is asked of a connection before anything else."""

    class info:
        server_version = 140012


def test_too_old() -> None:
    with pytest.raises(ServerTooOld, match="PostgreSQL 14") as caught:
        check_server(_Old())  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_replica_is_read_only(ground: Ground, replica: OwnedServer, connect: Callable[..., Database]) -> None:
    server = ground.database.server
    assert isinstance(server, OwnedServer)
    wait_for_replay(server, replica)
    url = replica.url(ground.database.name)
    for arguments in (("apply", "--yes"), ("refresh",), ("keys", "rotate"), ("credentials", "app_a")):
        error = refusal(ground.command, *arguments, "--url", url, "--cache", "fresh")
        assert error["code"] == "server.no-space", arguments
    db = connect(replica.url(ground.database.name, user=f"{ground.name}_app_a", password=PASSWORD))
    with pytest.raises(ServerFull), db.transaction(tenant=ONE, actor="ada") as session:
        session.psycopg().execute(sql.SQL("DELETE FROM {}.invoice").format(sql.Identifier(ground.name)))


def test_no_connection_is_left(ground: Ground, layer_name: str) -> None:
    ground.run(f"CREATE ROLE {layer_name}_one LOGIN CONNECTION LIMIT 1 PASSWORD 'one'")
    ground.run(f"GRANT CONNECT ON DATABASE {ground.database.name} TO {layer_name}_one")
    login = {"user": f"{layer_name}_one", "password": "one"}
    with ground.database.connect(user=login["user"], password=login["password"]):
        error = refusal(ground.command, "status", "--url", ground.database.server.url(ground.database.name, **login))
    assert error["code"] == "server.too-many-connections"
