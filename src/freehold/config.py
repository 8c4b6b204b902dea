"""Every option once: its flag, its environment variable, its key in freehold.toml, its default and its help."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.errors import ConfigError

FILE = "freehold.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option. It is taken from the flag, else the environment, else freehold.toml, else the default.

    Parameters
    ----------
    name
        The key in freehold.toml; empty for what only the environment may say.
    flag
        The command line's flag; empty where there is none.
    env
        The environment variable.
    default
        What holds where nobody says anything.
    example
        A value that shows the form.
    path
        Whether it is a path. In freehold.toml it counts from that file, elsewhere from the working directory.
    """

    name: str = ""
    flag: str = ""
    env: str
    default: str = ""
    example: str
    help: str
    path: bool = False


OPTIONS: tuple[Option, ...] = (
    Option(
        name="layer",
        flag="--layer",
        env="FREEHOLD_LAYER",
        example="layer:layer",
        help="The data layer, as module:attribute. The directory of freehold.toml is importable.",
    ),
    Option(
        name="url",
        flag="--url",
        env="FREEHOLD_URL",
        example="postgresql://postgres@db.example.org/shop",
        help="The database, with an administrator's login. Without it: the server that `freehold up` started.",
    ),
    Option(
        name="data_directory",
        flag="--data-directory",
        env="FREEHOLD_DATA_DIRECTORY",
        default=".freehold/postgres",
        example=".freehold/postgres",
        help="Where the server of `freehold up` keeps its data.",
        path=True,
    ),
    Option(
        name="database",
        flag="--database",
        env="FREEHOLD_DATABASE",
        example="shop",
        help="The database on the server of `freehold up`; the layer's name where it is not given.",
    ),
    Option(
        name="keys",
        flag="--keys",
        env="FREEHOLD_CONTEXT_KEYS_FILE",
        default=".freehold/context.keys",
        example="/run/secrets/context.keys",
        help="The file of mode 0600 that holds the keys which sign the tenant context.",
        path=True,
    ),
    Option(
        name="cache",
        flag="--cache",
        env="FREEHOLD_CACHE",
        example="/var/cache/freehold/declared",
        help="Where built declared states are kept; $XDG_CACHE_HOME/freehold/declared where it is not given.",
        path=True,
    ),
    Option(
        name="targets",
        env="FREEHOLD_TARGETS",
        example="shop.messages:targets",
        help="The targets of `freehold relay` by topic pattern, as module:attribute.",
    ),
    Option(
        env="FREEHOLD_CONTEXT_KEYS",
        example="2026-01:bWFkZSBvZiBhdCBsZWFzdCB0aGlydHktdHdvIGJ5dGVz",
        help="Context keys for the application itself, where connect(keys=...) names no file: key_id:base64secret.",
    ),
    Option(
        env="FREEHOLD_PG_BIN",
        example="/usr/lib/postgresql/15/bin",
        help="The directory of PostgreSQL's programs, where they are in no usual place.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The options' values, paths absolute.

    ``home`` is the directory of freehold.toml, or the working directory where there is no such file. ``cache`` is None
    for the usual place.
    """

    home: Path
    layer: str
    url: str
    data_directory: Path
    database: str
    keys: Path
    cache: Path | None
    targets: str = ""


def load_config(flags: Mapping[str, str | None], environment: Mapping[str, str], directory: Path) -> Config:
    """Look every option up.

    Parameters
    ----------
    flags
        Values by option name; None where the flag was not given.
    directory
        The working directory; freehold.toml is looked for here and in its parents.

    Raises
    ------
    ConfigError
        freehold.toml cannot be read, or holds a key that is no option.
    """
    file = _find(directory)
    home = file.parent if file else directory
    written = _read(file) if file else {}
    found = {
        option.name: _value(option, flags, environment, written, directory, home) for option in OPTIONS if option.name
    }
    return Config(
        home=home,
        layer=found["layer"],
        url=found["url"],
        data_directory=Path(found["data_directory"]),
        database=found["database"],
        keys=Path(found["keys"]),
        cache=Path(found["cache"]) if found["cache"] else None,
        targets=found["targets"],
    )


def _value(
    option: Option,
    flags: Mapping[str, str | None],
    environment: Mapping[str, str],
    written: Mapping[str, str],
    directory: Path,
    home: Path,
) -> str:
    said = flags.get(option.name) or environment.get(option.env)
    if said:
        return str(directory / said) if option.path else said
    kept = written.get(option.name) or option.default
    return str(home / kept) if option.path and kept else kept


def _find(directory: Path) -> Path | None:
    candidates = (place / FILE for place in (directory, *directory.parents))
    return next((file for file in candidates if file.is_file()), None)


def _read(file: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read",
            detail=str(error),
            hint='It is TOML, with a line such as layer = "layer:layer".',
        ) from error
    known = [option.name for option in OPTIONS if option.name]
    for key, value in content.items():
        if key not in known:
            raise ConfigError(f"{file} holds {key!r}, which is no option", hint=f"Options are {', '.join(known)}.")
        if not isinstance(value, str):
            raise ConfigError(f"{key} in {file} is not a text", hint="Write it between quotation marks.")
    return content


__all__ = ["FILE", "OPTIONS", "Config", "Option", "load_config"]
