"""An amount of money as a value, and sums of amounts that never mix currencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any

import sqlalchemy as sa

from freehold.errors import AmountInvalid, CurrencyMismatch
from freehold.rooms.constraints.declare_money import CODE

DIGITS = 1000
"""Digits that PostgreSQL lets a numeric column declare; no result of a computation is rounded to fewer."""


@dataclass(frozen=True)
class Amount:
    """How much, and of which currency; for ``composite(Amount, "total", "currency")`` of an ORM class.

    Sums and products are exact. Only :meth:`rounded` rounds, and says how.

    Parameters
    ----------
    amount
        A finite number, in whole units of the currency: ``Decimal("12.50")`` EUR is twelve euros and a half.
    currency
        A code as ISO 4217 forms it; whether it is known is what the database decides.

    Raises
    ------
    AmountInvalid
        The amount is no finite ``Decimal``, or the currency is not three capital letters.

    >>> Amount(Decimal("12.50"), "EUR") * Decimal("1.19")
    Amount(amount=Decimal('14.8750'), currency='EUR')
    >>> (Amount(Decimal("12.50"), "EUR") * Decimal("1.19")).rounded(2, ROUND_HALF_EVEN)
    Amount(amount=Decimal('14.88'), currency='EUR')
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise AmountInvalid(
                f"{self.amount!r} is no amount of money", hint='Give a finite Decimal, made of text: Decimal("12.50").'
            )
        if not isinstance(self.currency, str) or not CODE.fullmatch(self.currency):
            raise AmountInvalid(
                f"{self.currency!r} is no code of a currency", hint='Give three capital letters, as in "EUR".'
            )

    def __add__(self, other: Amount) -> Amount:
        """The sum of two amounts of one currency; otherwise CurrencyMismatch."""
        if not isinstance(other, Amount):
            return NotImplemented
        self._check_same(other)
        return self._with(lambda context: context.add(self.amount, other.amount))

    def __sub__(self, other: Amount) -> Amount:
        """The difference of two amounts of one currency; otherwise CurrencyMismatch."""
        if not isinstance(other, Amount):
            return NotImplemented
        self._check_same(other)
        return self._with(lambda context: context.subtract(self.amount, other.amount))

    def __mul__(self, factor: Decimal | int) -> Amount:
        """The exact product with a number; a float is a TypeError, as it is for Decimal."""
        if isinstance(factor, bool) or not isinstance(factor, Decimal | int):
            return NotImplemented
        return self._with(lambda context: context.multiply(self.amount, Decimal(factor)))

    __rmul__ = __mul__

    def __neg__(self) -> Amount:
        return Amount(self.amount.copy_negate(), self.currency)

    def rounded(self, places: int, rounding: str) -> Amount:
        """The amount with so many digits after the point.

        Parameters
        ----------
        places
            Digits after the point, such as the scale of the column that it is stored in.
        rounding
            One of the constants of :mod:`decimal`, such as ``ROUND_HALF_EVEN`` or ``ROUND_HALF_UP``.

        Raises
        ------
        AmountInvalid
            There is no such rounding, or the result has too many digits.
        """
        step = Decimal(1).scaleb(-places)
        return self._with(lambda context: self.amount.quantize(step, rounding, context), inexact=True)

    def _with(self, compute: Callable[[Context], Decimal], *, inexact: bool = False) -> Amount:
        traps: list[type[DecimalException]] = [InvalidOperation, DivisionByZero, Overflow]
        context = Context(prec=DIGITS, traps=traps if inexact else [*traps, Inexact])
        try:
            return Amount(compute(context), self.currency)
        except (DecimalException, TypeError) as error:
            raise AmountInvalid(
                f"What is computed of {self.currency} is no finite number of at most {DIGITS} digits",
                hint="Use finite factors; round with a constant of decimal, such as ROUND_HALF_EVEN.",
            ) from error

    def _check_same(self, other: Amount) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(
                f"{self.currency} and {other.currency} are not added",
                hint="Convert one of them first, with a rate and a rounding that you choose.",
            )


def total(
    amount: sa.SQLColumnExpression[Any], currency: sa.SQLColumnExpression[Any], *per: sa.SQLColumnExpression[Any]
) -> sa.Select[*tuple[Any, ...]]:
    """A query with a row for each currency, so that no two are added: ``amount``, ``currency``, and what else groups.

    Rows whose currency is NULL are not in it. It may be narrowed with ``.where(...)``.

    Parameters
    ----------
    amount, currency
        The two columns of :class:`Money`.
    per
        More columns that group the sums, such as the customer.

    >>> session.execute(total(Invoice.total, Invoice.currency).where(Invoice.paid))  # doctest: +SKIP
    """
    summed = sa.func.sum(amount, type_=sa.Numeric()).label("amount")
    query = sa.select(summed, currency.label("currency"), *per)
    return query.where(currency.is_not(None)).group_by(currency, *per)
