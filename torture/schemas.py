"""What PostgreSQL's own regression scripts make is read, built elsewhere and read again: nothing is lost in silence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import psycopg

from freehold.errors import FreeholdError
from freehold.kernel import roundtrip
from freehold.kernel.objects import Column, Constraint, Index, Object, Policy, Table
from freehold.kernel.observe import Catalog
from freehold.kernel.roundtrip import RoundTrip, round_trip
from freehold.servers import OwnedServer, disposable, find_embedded, find_installed
from freehold.testing.database import create_database, drop_database
from torture.ground import QUIET
from torture.regress import FORGET, TEMPLATE, chosen, make_template, play, scripts
from torture.result import Result

SETTINGS = {**QUIET, "wal_level": "logical", "allow_in_place_tablespaces": True}
DATABASE = "one"
OWN_NAME = "PostgreSQL gives this name by itself to something else that is built before"
RAISES = "a function of its own refuses to be called by whoever builds it"
KNOWN = {
    ("constraint", ("public", "parted_fk_naming_1", "dummy_constr")): OWN_NAME,
    ("constraint", ("public", "two_not_null_constraints", "two_not_null_constraints_col_not_null")): OWN_NAME,
    ("index", ("public", "idxpart1_a_idx5")): OWN_NAME,
    ("index", ("public", "idxpart1_a_idx6")): OWN_NAME,
    ("index", ("public", "idxpart1_expr_idx")): OWN_NAME,
    ("index", ("public", "sro_brin")): RAISES,
    ("index", ("public", "sro_cluster_idx")): RAISES,
    ("index", ("public", "sro_idx")): RAISES,
    ("index", ("public", "sro_pidx")): RAISES,
}
"""What PostgreSQL refuses to build again, by kind and name; the round trip tells each."""


def run(size: int, seed: int) -> Result:
    """Take the round trip of what each script made, on PostgreSQL 18 and 15.

    Parameters
    ----------
    size
        How many scripts.
    seed
        Of nothing: a script makes the same each time.
    """
    started = time.monotonic()
    wrong: list[str] = []
    kept: Counter[str] = Counter()
    told: Counter[str] = Counter()
    caught = 0
    for binaries in (find_embedded(), find_installed(15)):
        with disposable(binaries, settings=SETTINGS) as server:
            found = scripts()
            make_template(server, found)
            for name, path in chosen(found, size):
                trip = _trip(server, name, path, wrong)
                if trip is not None:
                    wrong += _strange(name, trip)
                    kept.update(key.kind for key in trip.kept)
                    told.update(item.kind for item in trip.unmanaged)
            caught += sum(_caught(server, found[script], damage) for script, damage in DEFECTS)
    return Result(
        name="schemas",
        size=kept.total(),
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=2 * len(DEFECTS),
        defects_caught=caught,
        notes="; ".join(wrong) or _figures(kept, told),
    )


Damage = Callable[[Object], Object]
"""What a reader would give that forgets a part of an object."""


def _no_check(item: Object) -> Object:
    return replace(item, using=item.using or "true", check="") if isinstance(item, Policy) else item


def _no_order(item: Object) -> Object:
    return replace(item, definition=item.definition.replace(" DESC", "")) if isinstance(item, Index) else item


def _no_default(item: Object) -> Object:
    if not isinstance(item, Table) or item.parent:
        return item
    return replace(item, columns=tuple(_without(column) for column in item.columns))


def _without(column: Column) -> Column:
    return column if column.generated else replace(column, default="")


def _no_action(item: Object) -> Object:
    if not isinstance(item, Constraint):
        return item
    return replace(item, definition=item.definition.replace(" ON DELETE CASCADE", ""))


DEFECTS: tuple[tuple[str, Damage], ...] = (
    ("rowsecurity", _no_check),
    ("create_index", _no_order),
    ("fast_default", _no_default),
    ("foreign_key", _no_action),
)
"""A script whose objects have it, and the part that is forgotten."""


def _caught(server: OwnedServer, path: Path, damage: Damage) -> bool:
    whole = roundtrip.rebuilt

    def damaged(item: Object, catalog: Catalog) -> Object:
        return damage(whole(item, catalog))

    with patch.object(roundtrip, "rebuilt", damaged):
        return bool(_strange("", _made(server, path)))


def _trip(server: OwnedServer, name: str, path: Path, wrong: list[str]) -> RoundTrip | None:
    try:
        return _made(server, path)
    except (FreeholdError, psycopg.Error) as error:
        wrong.append(f"{name}: {error}")
        return None


def _made(server: OwnedServer, path: Path) -> RoundTrip:
    create_database(server, DATABASE, template=TEMPLATE)
    try:
        play(server, DATABASE, path)
        with server.connect(DATABASE, autocommit=True) as connection:
            connection.execute(FORGET)
            return round_trip(connection)
    finally:
        drop_database(server, DATABASE)


def _strange(name: str, trip: RoundTrip) -> list[str]:
    return [f"{name}: {key}: {why}" for key, why in trip.differences.items() if (key.kind, key.name) not in KNOWN]


def _figures(kept: Counter[str], told: Counter[str]) -> str:
    most = ", ".join(f"{count:,} {kind}" for kind, count in told.most_common(6))
    return (
        f"objects of {len(kept)} kinds that came out as they were; {told.total():,} of {len(told)} kinds are not "
        f"managed and told by name ({most}, ...); {len(KNOWN)} that PostgreSQL refuses to build again are told"
    )
