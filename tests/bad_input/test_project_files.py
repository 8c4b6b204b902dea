"""Files of the project that are not what they should be: freehold.toml, the layer's module, the key file."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from freehold import Database
from freehold.errors import ContextKeyMissing
from tests.bad_input.ground import ONE, Ground, refusal
from tests.cli.command import Command

TOML = {
    "no value": b"layer = ",
    "not UTF-8": b"layer = '\xff\xfe'",
    "a list": b"layer = ['mine:layer']",
    "twice": b"layer = 'a'\nlayer = 'b'",
    "unknown": b"colour = 'red'",
    "zero byte": b"layer = '\0'",
    "module with dots only": b"layer = '...'",
    "attribute alone": b"layer = ':layer'",
    "attribute of nothing": b"layer = 'layer:'",
    "path": b"layer = '../layer.py:layer'",
}


@pytest.mark.parametrize("text", TOML.values(), ids=TOML.keys())
def test_toml(bare: Command, text: bytes) -> None:
    (bare.folder / "freehold.toml").write_bytes(text)
    assert refusal(bare, "plan")["code"] == "config.invalid"


MODULES = {
    "syntax": "def f(:",
    "zero byte": "x = '\0'",
    "absent package": "import no_such_package",
    "division": "1 / 0",
    "ends the process": "raise SystemExit(0)",
    "ends it otherwise": "import sys\nsys.exit('bye')",
    "not a layer": "layer = 3",
    "a class": "from freehold import DataLayer\nlayer = DataLayer",
    "nothing": "",
    "itself": "from mine import layer",
    "endless": "def f():\n    f()\nf()",
}


@pytest.mark.parametrize("text", MODULES.values(), ids=MODULES.keys())
def test_module(bare: Command, text: str) -> None:
    (bare.folder / "freehold.toml").write_text("layer = 'mine:layer'")
    (bare.folder / "mine.py").write_text(text)
    error = refusal(bare, "plan", "--url", "postgresql://nobody@127.0.0.1:1/none")
    assert error["code"] == "config.invalid"
    assert "mine" in error["message"]


def _absent(ground: Ground) -> None:
    ground.keys.unlink()


def _empty(ground: Ground) -> None:
    ground.keys.write_text("")


def _open(ground: Ground) -> None:
    ground.keys.chmod(0o644)


def _cut(ground: Ground) -> None:
    ground.keys.write_text(ground.keys.read_text()[:40])


def _nonsense(ground: Ground) -> None:
    ground.keys.write_bytes(os.urandom(200))


def _directory(ground: Ground) -> None:
    ground.keys.unlink()
    ground.keys.mkdir(mode=0o700)


SPOILT = (_absent, _empty, _open, _cut, _nonsense, _directory)


def test_key_file_of_the_application(ground: Ground, connect: Callable[..., Database]) -> None:
    good = ground.keys.read_bytes()
    secret = good.decode().split(":")[1].strip()
    for spoil in SPOILT:
        spoil(ground)
        with pytest.raises(ContextKeyMissing) as caught:
            connect()
        assert str(ground.keys) in caught.value.message
        assert caught.value.hint
        assert secret[:16] not in str(caught.value)
        _mend(ground, good)
    connect()


def test_key_file_of_the_commands(ground: Ground) -> None:
    good, before = ground.keys.read_bytes(), ground.contents()
    for spoil in SPOILT[1:]:
        spoil(ground)
        for arguments in (("keys", "list"), ("keys", "rotate"), ("keys", "retire", "some")):
            error = refusal(ground.command, *arguments)
            assert error["code"] == "context.key-missing"
            assert str(ground.keys) in error["message"]
        _mend(ground, good)
    assert ground.contents() == before


def _mend(ground: Ground, good: bytes) -> None:
    if ground.keys.is_dir():
        ground.keys.rmdir()
    ground.keys.write_bytes(good)
    ground.keys.chmod(0o600)


def test_lost_key_file_is_mended_by_a_rotation(ground: Ground, connect: Callable[..., Database]) -> None:
    ground.keys.unlink()
    assert ground.command("keys", "rotate").status == 0
    with connect().transaction(tenant=ONE, actor="ada") as session:
        assert session.psycopg().execute("SELECT freehold.actor_v1()").fetchone() == ("ada",)
