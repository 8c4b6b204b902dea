"""The server's own extension writes to the log what leaves no entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold import Audit, DataLayer, Roles, Tenancy
from freehold.errors import DeclarationError
from freehold.operations import apply_layer, plan_layer
from freehold.servers import disposable
from freehold.testing.database import Database, create_database
from freehold.testing.servers import binaries_of, missing
from tests.rooms.building import unheld

from .layer import SECRET, Base, Company, Payment, Rate

LOADED = "the server loads pgaudit, which logs what leaves no entry"
LIBRARY = Path("/usr/lib/postgresql/15/lib/pgaudit.so")


def layer(name: str) -> DataLayer:
    """A layer that asks for pgaudit."""
    audit = Audit(Payment, pgaudit=("role", "ddl"))
    return DataLayer(Base.metadata, Tenancy(Company, shared=[Rate]), Roles(), audit, name=name)


@pytest.mark.skipif(bool(missing(15)) or not LIBRARY.exists(), reason="postgresql-15-pgaudit is not installed")
def test_commands_of_the_cluster_are_logged_without_secrets() -> None:
    with disposable(binaries_of(15), settings={"shared_preload_libraries": "pgaudit"}) as server:
        place, made = create_database(server, "audited"), layer("audited")
        with place.connect(autocommit=True) as connection:
            apply_layer(connection, made.declared)
            assert plan_layer(connection, made.declared).steps == ()
            connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
            assert unheld(connection, made.declared, "audit") == []
        with place.connect(autocommit=True) as connection:
            connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'hunter2'")
            connection.execute("SELECT amount AS nothing FROM shop.payment")
        logged = server.log_path.read_text(encoding="utf-8")
    assert "ROLE,CREATE ROLE" in logged
    assert "hunter2" not in logged.replace("\n", " ").split("AUDIT:", 1)[1]
    assert "AS nothing" not in logged, "reading was not asked for"


def test_a_server_without_it_is_told(database: Database, layer_name: str) -> None:
    made = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, made.declared)
        assert plan_layer(connection, made.declared).steps == ()
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        assert unheld(connection, made.declared, "audit") == [LOADED]


def test_a_class_that_is_none() -> None:
    with pytest.raises(DeclarationError, match="no class everything") as refused:
        Audit(Payment, pgaudit=("role", "everything"))
    assert refused.value.hint
