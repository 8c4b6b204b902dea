"""Has Django and django-pghistory create their tables and triggers in a database."""

from __future__ import annotations

import django
import pgtrigger
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections


def create(connection: psycopg.Connection[object]) -> None:
    """Create the two tracked tables, their events and their triggers in the connection's database."""
    info = connection.info
    place = {"HOST": info.host, "PORT": info.port, "USER": info.user, "PASSWORD": info.password, "NAME": info.dbname}
    settings.configure(
        INSTALLED_APPS=["pgtrigger", "pghistory", "benchmarks.peers"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **place}},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    pgtrigger.install()
    connections.close_all()
