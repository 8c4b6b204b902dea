"""The currencies that ISO 4217 lists today, from the package that carries its table."""

from __future__ import annotations

from importlib import import_module

from freehold.errors import PackageMissing


def current_currencies(digits: int | None = None) -> tuple[str, ...]:
    """The codes of ISO 4217, list one, in the edition of the installed package ``iso4217``.

    Parameters
    ----------
    digits
        Leave out the currencies whose minor unit needs more digits after the point: with 2 the Kuwaiti dinar, which
        has thousandths. Codes without a minor unit, such as metals, are always in.

    Raises
    ------
    PackageMissing
        The package is not installed.
    """
    try:
        found = import_module("iso4217").Currency
    except ModuleNotFoundError as error:
        raise PackageMissing(
            "The currencies of ISO 4217 need the package iso4217",
            hint='Install it: pip install \'freehold[money]\', or say which are meant: currencies=("EUR", "USD").',
        ) from error
    return tuple(sorted(each.code for each in found if digits is None or (each.exponent or 0) <= digits))
