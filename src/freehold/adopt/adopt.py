"""From a live database to a folder whose first plan is empty."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from freehold import journal
from freehold.adopt.layer_file import write_layer
from freehold.adopt.models import write_models
from freehold.adopt.naming import layer_name
from freehold.adopt.tenants import Guess, guess_tenants
from freehold.adopt.verify import demote, differing, load_layer
from freehold.adopt.ways import Ways
from freehold.errors import AdoptionRefused
from freehold.kernel.objects import Key, Table
from freehold.kernel.observe import Connection
from freehold.kernel.unmanaged import survey
from freehold.operations import check_server, plan_layer

ROUNDS = 25
"""Times that the result is told in plainer words; each round leaves alone what no words fit."""


@dataclass(frozen=True)
class Adoption:
    """What was written: the files' texts, how many tables they tell of, and what is left alone with the reason."""

    files: Mapping[str, str]
    tables: int
    left: Mapping[Key, str]
    guess: Guess | None


def adopt(connection: Connection, configuration: str, *, name: str = "", on: date | None = None) -> Adoption:
    """Read a database and write the project that plans nothing for it.

    Parameters
    ----------
    connection
        To the database, as a role that may create databases, in autocommit mode. The database is only read.
    configuration
        The text of ``freehold.toml``.
    name
        The layer's name; made from the database's where it is not given.
    on
        The day of the adoption; today where it is not given.

    Raises
    ------
    AdoptionRefused
        The database has no table, a layer is applied to it already, or the plan could not be made empty.
    """
    check_server(connection)
    if journal.installed_version(connection):
        raise AdoptionRefused(
            f"A data layer is applied to {connection.info.dbname} already",
            hint="Use its models and its layer; adopting is for a database that Freehold does not know yet.",
        )
    ways = Ways(survey(connection))
    if not any(isinstance(item, Table) and ways.told(key) for key, item in ways.catalog.objects.items()):
        raise AdoptionRefused(
            f"The database {connection.info.dbname} holds no table that could be adopted",
            detail="\n".join(f"{key}: {reason}" for key, reason in ways.left.items()),
            hint="Name another database in the URL, or begin a new project: freehold init",
        )
    day = (on or date.today()).isoformat()  # noqa: DTZ011 - the day where the command runs
    return _settled(connection, ways, name or layer_name(connection.info.dbname), day, configuration)


def _settled(connection: Connection, ways: Ways, name: str, day: str, configuration: str) -> Adoption:
    """Write, build and compare until the plan is empty."""
    for _ in range(ROUNDS):
        module = write_models(ways)
        guess = guess_tenants(ways, module.entities)
        files = {
            "models.py": module.text,
            "layer.py": write_layer(ways, module, name=name, on=day, guess=guess),
            "freehold.toml": configuration,
        }
        found = _differing(connection, ways, files)
        if not found:
            return Adoption(files, len(module.entities), ways.left, guess)
        if not demote(ways, found):
            break
    raise AdoptionRefused(
        "The first plan could not be made empty; nothing was written",
        detail="\n".join(f"{key}: {reason}" for key, reason in found.items()),
        hint="Report it with the definitions of these objects.",
    )


def _differing(connection: Connection, ways: Ways, files: Mapping[str, str]) -> Mapping[Key, str]:
    """What would be planned: asked of a lenient build first, and of the plan itself in the end."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        declared = load_layer(folder).declared
    found = differing(connection, declared, ways.catalog)
    if found:
        return found
    return {step.key: f"the plan would {step.change.title}" for step in plan_layer(connection, declared).steps}
