"""An amount of money in two columns: how much, and of which currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import column_of
from freehold.kernel.metadata_types import plain_type
from freehold.rooms.constraints.currencies import current_currencies
from freehold.rooms.constraints.declare import Rule

CODE = re.compile("[A-Z]{3}")
"""The form of an alphabetic code in ISO 4217."""


@dataclass(frozen=True)
class Money(Rule):
    """Two columns are one amount of money: a finite decimal number of a currency that is known.

    Where one of them is NULL, so is the other. Several amounts may share a currency's column.

    Parameters
    ----------
    amount
        A column of ``Numeric(precision, scale)``, or of a domain over it.
    currency
        A column of text or ``CHAR(3)``, or of a domain over it.
    scale
        Digits after the point that the amount's column has.
    currencies
        Codes that are allowed. Where none is given, those of ISO 4217 whose minor unit the scale can hold, in the
        edition of the installed package ``iso4217``.

    Raises
    ------
    DeclarationError
        A column has another type, or a code is not three capital letters.
    PackageMissing
        No currencies are given, and ``iso4217`` is not installed.

    >>> Money(Invoice, "total", currency="currency", scale=2, currencies=("EUR", "USD"))  # doctest: +SKIP
    """

    amount: str = ""
    currency: str = "currency"
    scale: int = 2
    currencies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_amount(plain_type(column_of(self.entity, self.amount).type))
        self._check_currency(plain_type(column_of(self.entity, self.currency).type))
        given = (self.currencies,) if isinstance(self.currencies, str) else self.currencies
        wrong = [code for code in given if not (isinstance(code, str) and CODE.fullmatch(code))]
        if wrong or isinstance(self.currencies, str):
            raise DeclarationError(
                f"Money on {self.title}.{self.amount} allows what is no list of codes: {self.currencies!r}",
                hint='Give a tuple of codes as ISO 4217 forms them: currencies=("EUR", "USD").',
            )
        self.codes()

    def codes(self) -> tuple[str, ...]:
        """The currencies that are allowed, in order."""
        return tuple(sorted(set(self.currencies))) or current_currencies(self.scale)

    def _check_amount(self, kind: Any) -> None:
        exact = isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float) and kind.asdecimal
        if not exact or kind.precision is None or (kind.scale or 0) != self.scale:
            raise DeclarationError(
                f"Money on {self.title}.{self.amount} needs an exact number with {self.scale} digits after the point",
                detail=f"The column's type is {kind!r}.",
                hint=f"Write mapped_column(Numeric(19, {self.scale})), or say scale= what the column has.",
            )

    def _check_currency(self, kind: Any) -> None:
        if not isinstance(kind, sa.String) or isinstance(kind, sa.Enum) or kind.length not in {None, 3}:
            raise DeclarationError(
                f"Money on {self.title}.{self.amount} needs a currency's code in {self.currency}",
                detail=f"The column's type is {kind!r}.",
                hint="Write mapped_column(Text), mapped_column(CHAR(3)) or mapped_column(CurrencyCode).",
            )
