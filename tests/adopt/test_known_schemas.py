"""Databases that others made: the examples', Django's tables, procrastinate's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import procrastinate
import pytest
from examples.retail.layer import DECLARATIONS as RETAIL
from examples.retail.models import Base as RetailBase
from examples.subscriptions.layer import DECLARATIONS as SUBSCRIPTIONS
from examples.subscriptions.models import Base as SubscriptionsBase

from freehold import DataLayer
from freehold.kernel.roundtrip import round_trip
from freehold.operations import apply_layer
from freehold.testing.database import Database
from tests.adopt.conftest import Adopted, taken

SCHEMA = Path(procrastinate.__file__).with_name("sql") / "schema.sql"
FORGET = """
DROP TABLE freehold.backfill, freehold.evidence, freehold.managed_object, freehold.applied_step, freehold.applied_plan,
    freehold.journal_version CASCADE
"""
MIGRATE = """
import sys, django
from django.conf import settings
from django.core.management import call_command
host, port, name, user, password = sys.argv[1:]
settings.configure(
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port, "NAME": name, "USER": user,
        "PASSWORD": password}},
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.sessions", "django.contrib.sites", "django.contrib.flatpages", "django.contrib.redirects"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True)
django.setup()
call_command("migrate", verbosity=0)
"""


@pytest.mark.parametrize("name", ["retail", "subscriptions"])
def test_example(name: str, database: Database, layer_name: str, tmp_path: Path) -> None:
    base, declarations = {
        "retail": (RetailBase, RETAIL),
        "subscriptions": (SubscriptionsBase, SUBSCRIPTIONS),
    }[name]
    layer = DataLayer(base.metadata, *declarations, name=layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        connection.execute(FORGET)
        found = taken(connection, tmp_path / "adopted")
    there = {f"table {'.'.join(item.name)}" for item in layer.declared.model.tables if item.schema != "freehold"}
    assert there & set(found.left) == set(), found.made.left
    beside = [(key, why) for key, why in map(_words, found.made.left.items()) if "freehold" not in key]
    assert [pair for pair in beside if not pair[1].startswith(("stands on", "of no kind"))] == []


def _words(pair: tuple[object, str]) -> tuple[str, str]:
    return str(pair[0]), pair[1]


def test_procrastinate(adopted: Callable[[str], Adopted]) -> None:
    found = adopted(SCHEMA.read_text())
    assert "composite type public.procrastinate_job_to_defer_v1" in found.left
    assert not [name for name in found.left if name.startswith(("table ", "index ", "trigger "))], found.left
    assert "class ProcrastinateJobs(Base):" in found.models
    assert "procrastinate_fetch_job_v2" in found.layer


def test_django(database: Database, tmp_path: Path) -> None:
    with database.connect(autocommit=True) as connection:
        info = connection.info
        place = (info.host, str(info.port), info.dbname, info.user, info.password)
        done = subprocess.run([sys.executable, "-c", MIGRATE, *place], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = taken(connection, tmp_path / "adopted")
        assert round_trip(connection).differences == {}
    assert found.left == []
    assert "class AuthUser(Base):" in found.models
    assert "Extra(" not in found.layer, "models say all of it"


@pytest.mark.parametrize("name", ["retail", "subscriptions"])
def test_example_makes_the_round(name: str, database: Database, layer_name: str) -> None:
    base, declarations = {
        "retail": (RetailBase, RETAIL),
        "subscriptions": (SubscriptionsBase, SUBSCRIPTIONS),
    }[name]
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, DataLayer(base.metadata, *declarations, name=layer_name).declared)
        assert round_trip(connection).differences == {}


def test_procrastinate_makes_the_round(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(SCHEMA.read_bytes())
        found = round_trip(connection)
    assert found.differences == {}
    assert "composite type public.procrastinate_job_to_defer_v1" in map(str, found.unmanaged)
