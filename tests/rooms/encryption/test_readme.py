"""The Python of the room's README runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from psycopg import sql

import freehold.rooms.encryption
from freehold import DataLayer
from freehold.operations import apply_layer
from freehold.testing.database import Database

from .conftest import RING
from .layer import ONE, SECRET

PAGE = Path(freehold.rooms.encryption.__file__).with_name("README.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_examples_run_one_after_the_other(database: Database, layer_name: str, tmp_path: Path) -> None:
    assert len(BLOCKS) == 3
    with database.connect(autocommit=True) as connection:

        def apply(layer: DataLayer) -> None:
            apply_layer(connection, layer.declared)
            connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
            password = sql.SQL("ALTER ROLE {} PASSWORD 'of the application'")
            connection.execute(password.format(sql.Identifier(f"{layer_name}_app_a")))
            connection.execute("INSERT INTO shop.company (id) VALUES (%s)", (ONE,))

        names: dict[str, Any] = {
            "__name__": "readme",
            "folder": tmp_path,
            "apply": apply,
            "url": database.url(user=f"{layer_name}_app_a", password="of the application"),
            "ring": RING,
            "tenant": ONE,
            "administrator": connection,
        }
        for block in BLOCKS:
            text = block.replace('name="shop"', f'name="{layer_name}"')
            exec(compile(text, str(PAGE), "exec", dont_inherit=True), names)
