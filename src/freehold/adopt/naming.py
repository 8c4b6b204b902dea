"""Names of classes, attributes and variables: the database's own, as far as Python lets them be names."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy.orm import DeclarativeBase

IMPORTED = frozenset(
    {"Any", "Base", "Decimal", "Mapped", "ServerType", "UUID", "annotations", "dt", "mapped_column"}
) | {
    "partition_of",
    "postgresql",
    "sa",
}
"""What a written module has imported or made before the first table."""

ANNOTATIONS = frozenset({"bool", "bytes", "float", "int", "list", "str"})
"""Names of types in annotations, which an attribute of the same name would hide."""


def class_name(table: str) -> str:
    """The name of a table's class.

    >>> class_name("order_line"), class_name("2nd table"), class_name("OrderLine"), class_name("ORDER")
    ('OrderLine', 'Table2ndTable', 'OrderLine', 'Order')
    """
    words = [word for word in re.split(r"_+", _letters(table)) if word]
    name = "".join(_capital(word) for word in words)
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"Table{name}"


def _letters(name: str) -> str:
    """A name as Python reads it, with one underscore for all that no name may hold."""
    normal = unicodedata.normalize("NFKC", name)
    return "".join(letter if f"a{letter}".isidentifier() else " " for letter in normal).strip().replace(" ", "_")


def _capital(word: str) -> str:
    return word.capitalize() if word.isupper() else word[0].upper() + word[1:]


def attribute_name(column: str) -> str:
    """The name of a column's attribute, which differs from the column's where Python or SQLAlchemy needs another.

    >>> attribute_name("email"), attribute_name("class"), attribute_name("metadata"), attribute_name("first name")
    ('email', 'class_', 'metadata_', 'first_name')
    """
    name = _letters(column)
    if name.startswith("__"):  # Python would mangle it
        name = name.lstrip("_")
    if not name.strip("_"):
        name = "column"
    if not name.isidentifier():  # it begins with a digit
        name = f"column_{name}"
    return f"{name}_" if _taken(name) else name


def _taken(name: str) -> bool:
    return keyword.iskeyword(name) or name in IMPORTED | ANNOTATIONS or hasattr(DeclarativeBase, name) or name in _OWN


_OWN = frozenset({"metadata", "registry", "type_annotation_map"})


def variable_name(name: str) -> str:
    """The name of a module's variable for a type or sequence."""
    found = attribute_name(name).lower()
    return f"{found}_" if hasattr(builtins, found) else found


def layer_name(database: str) -> str:
    """What a layer may be called that describes a database.

    >>> layer_name("shop"), layer_name("My-Big-Company_Production"), layer_name("1st")
    ('shop', 'my_big_company_produ', 'layer_1st')
    """
    name = re.sub(r"[^a-z0-9]+", "_", database.lower()).strip("_")
    return (name if name and name[0].isalpha() else f"layer_{name}")[:20].rstrip("_")


class Names:
    """Names of one scope, each given once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def give(self, *wanted: str) -> str:
        """The first of the names that is free; where none is, the last with a number."""
        name = next((each for each in wanted if each not in self._taken), "")
        number = 2
        while not name:
            candidate = f"{wanted[-1]}_{number}"
            name = candidate if candidate not in self._taken else ""
            number += 1
        self._taken.add(name)
        return name
