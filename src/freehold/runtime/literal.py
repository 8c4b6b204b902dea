"""SQL text that is known to come from code: literals, composed objects, files of a package, reviewed exceptions."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from types import FrameType
from typing import Any, LiteralString

import psycopg.sql
import sqlalchemy as sa

from freehold.errors import InputError, SqlNotLiteral

if sys.version_info >= (3, 14):
    from string.templatelib import Template as Template
else:
    # SQLAlchemy's stand-in has the same shape; no literal of the language makes one here.
    from sqlalchemy.util.compat import Template as Template

HINT = "Write the text as a literal in the call of freehold.sql(), and pass values as parameters (:name)."
_NAME = re.compile(r"[a-z0-9][a-z0-9._ -]{0,62}")
_FILE = re.compile(r"\w[\w-]*(/\w[\w-]*)*\.sql")
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
_COLON = re.compile(r"(?<!:):(?=\w)")


class Written(str):
    """Text for ``exec_driver_sql`` that the runtime itself wrote; what is a plain ``str`` there is refused."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Review:
    """Why a text that is no literal may run, and who said so."""

    name: str
    reason: str
    by: str


class _Accepted(str):
    """Text whose origin was judged."""

    __slots__ = ()


class Sql(sa.TextClause):
    """A text construct whose text is known to come from code; :func:`sql` makes one.

    It is used like ``sqlalchemy.text()``: ``:name`` is a parameter, ``bindparams()`` and ``columns()`` work.
    """

    inherit_cache = True
    review: Review | None = None

    def __init__(self, text: _Accepted, review: Review | None = None) -> None:
        if not isinstance(text, _Accepted):
            raise not_literal("the argument of Sql()")
        super().__init__(text)
        self.review = review


def sql(text: LiteralString | psycopg.sql.Composable | Template) -> sa.sql.elements.AbstractTextClause:
    """Make a statement of a text that stands in the code of the caller.

    >>> statement = sql("SELECT name FROM customer WHERE id = :id")
    >>> statement = statement.bindparams(id=1)

    Parameters
    ----------
    text
        A literal in the calling function itself, also one of a tuple of literals; a t-string (Python 3.14), whose
        values become parameters; or an object of ``psycopg.sql``, whose identifiers are quoted and whose literals
        become parameters.

    Raises
    ------
    SqlNotLiteral
        The text was made at run time, or is a literal of another function or module.
    """
    if isinstance(text, Template):
        return sa.TString(text)
    if isinstance(text, psycopg.sql.Composable):
        return _composed(text)
    if not is_written(text, sys._getframe(1)):
        raise not_literal("the argument of sql()")
    return Sql(_Accepted(text))


def sql_column(text: LiteralString, type_: sa.types.TypeEngine[Any] | None = None) -> sa.ColumnElement[Any]:
    """Make a column expression of a text in the code of the caller, in place of ``sqlalchemy.literal_column()``."""
    if not is_written(text, sys._getframe(1)):
        raise not_literal("the argument of sql_column()")
    return WrittenColumn(_Accepted(text), type_=type_, is_literal=True)


def sql_file(package: LiteralString, name: str) -> Sql:
    """Make a statement of a ``.sql`` file of an installed package, such as ``sql_file("shop", "sql/take.sql")``.

    Raises InputError where the name leads anywhere else.
    """
    if not _FILE.fullmatch(name):
        raise InputError(f"{name!r} does not name a .sql file inside {package}", hint="Write it as sql/name.sql.")
    return Sql(_Accepted(files(package).joinpath(name).read_text(encoding="utf-8")))


def reviewed_sql(name: LiteralString, text: str, *, reason: LiteralString, by: LiteralString) -> Sql:
    """Let a text run that no rule here can judge, under a name that stands in the statement as a comment.

    Name, reason and reviewer must be literals in the call, so that a search of the code for this function finds every
    exception, and a search of the server's log for its name finds every use.
    """
    caller = sys._getframe(1)
    for given in (name, reason, by):
        if not is_written(given, caller):
            raise not_literal("the name, reason or reviewer of reviewed_sql()")
    if not _NAME.fullmatch(name) or not reason or not by:
        raise InputError(
            f"{name!r} is no name for a reviewed statement, or its reason or reviewer is empty",
            hint="Use lower-case letters, digits, dots, dashes and spaces.",
        )
    return Sql(_Accepted(f"{text} /* reviewed: {name} */"), Review(name, reason, by))


class WrittenColumn(sa.ColumnClause[Any]):
    """A literal column whose text is known to come from code."""

    inherit_cache = True


def is_written(text: object, caller: FrameType | None) -> bool:
    """Whether a text is, by identity, one of the constants of the code that a frame runs.

    Equality would not do: a text from outside may equal a constant that was never meant as a statement. Strings that
    the interpreter shares (single characters, identifiers) are then equal to a constant of that very code.
    """
    if not isinstance(text, str | bytes):
        return False
    while caller is not None and caller.f_code.co_name in _COMPREHENSIONS:
        # Before Python 3.12 a comprehension is a function of its own, inside the one in which it is written.
        if _within(text, caller.f_code.co_consts):
            return True
        caller = caller.f_back
    return caller is not None and _within(text, caller.f_code.co_consts)


def _within(text: object, constants: Iterable[object]) -> bool:
    return any(each is text or (isinstance(each, tuple | frozenset) and _within(text, each)) for each in constants)


def not_literal(what: str) -> SqlNotLiteral:
    """The error for a text of unknown origin."""
    return SqlNotLiteral(f"The SQL text in {what} is not a literal in the code that passes it", hint=HINT)


def _composed(composed: psycopg.sql.Composable) -> Sql:
    values: dict[str, Any] = {}
    statement = Sql(_Accepted("".join(_parts(composed, values))))
    # Without a type of SQLAlchemy's: like the literals that they were, they take the type that their place asks for.
    return statement.bindparams(*(sa.bindparam(n, v, type_=sa.types.NULLTYPE) for n, v in values.items()))


def _parts(composed: psycopg.sql.Composable, values: dict[str, Any]) -> Iterable[str]:
    if isinstance(composed, psycopg.sql.Composed):
        for part in composed:
            yield from _parts(part, values)
    elif isinstance(composed, psycopg.sql.Literal):
        name = f"literal_{len(values) + 1}"
        values[name] = composed._obj
        yield f"(:{name})"
    elif isinstance(composed, psycopg.sql.Placeholder):
        if not composed._obj:
            raise InputError("A placeholder in a composed statement has no name", hint="Write Placeholder('name').")
        yield f"(:{composed._obj})"
    else:
        yield _COLON.sub(r"\\:", composed.as_string(None))
