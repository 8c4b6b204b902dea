"""A SQLAlchemy type that is a DOMAIN: a named type with a CHECK of its own."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.sql.operators import OperatorClass, OperatorType

T = TypeVar("T")


class _Texts(DOMAIN):
    """Texts can be searched and put together."""

    operator_classes = OperatorClass.STRING
    comparator_factory = sa.Text.comparator_factory


class _Numbers(DOMAIN):
    """Numbers can be computed with."""

    operator_classes = OperatorClass.NUMERIC


class DomainType(sa.types.TypeDecorator[T]):
    """A column's type that lets in the values of one form.

    A value of another form is :class:`~freehold.errors.CheckViolated` by the name of the domain's CHECK. A search for
    such a value finds nothing, and is no error. NULL is left to the column.

    Parameters
    ----------
    schema
        Where the domain is; the schema of the metadata where none is given.
    """

    cache_ok = True
    title: ClassVar[str]
    """The domain's name."""
    condition: ClassVar[str]
    """What holds of a VALUE; without colons, which SQLAlchemy reads as parameters."""

    def __init__(self, schema: str = "") -> None:
        self._make(self.title, self._base(), schema)

    def _base(self) -> sa.types.TypeEngine[Any]:
        raise NotImplementedError

    def _make(self, title: str, base: sa.types.TypeEngine[Any], schema: str) -> None:
        place = {"schema": schema} if schema else {}
        super().__init__(title, base, constraint_name=f"{title}_check", check=self.condition, **place)
        self.schema = schema

    @property
    def plain(self) -> sa.types.TypeEngine[Any]:
        """The type under the domain."""
        found: sa.types.TypeEngine[Any] = self.impl_instance.data_type  # type: ignore[attr-defined]
        return found

    @property
    def python_type(self) -> type[Any]:
        """The type of its values in Python."""
        return self.plain.python_type

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> sa.types.TypeEngine[Any]:
        """What a column is compared with is not made a value of the domain."""
        return self.plain.coerce_compared_value(op, value)


class TextDomain(DomainType[str]):
    """A domain over ``text``."""

    impl = _Texts
    cache_ok = True

    def _base(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()


class NumberDomain(DomainType[Any]):
    """A domain over ``numeric``."""

    impl = _Numbers
    cache_ok = True

    def _base(self) -> sa.types.TypeEngine[Any]:
        return sa.Numeric()
