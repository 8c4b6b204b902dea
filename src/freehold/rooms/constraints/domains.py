"""Types of columns whose values have a form that a standard describes.

The forms are judged by code points (``COLLATE "C"``), so that they mean the same under every collation.
"""

from __future__ import annotations

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.rooms.constraints.domain_type import NumberDomain, TextDomain

LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""A label of a host's name, of at most 63 characters (RFC 1123, section 2.1)."""

LANGUAGE = "([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})"
SCRIPT, REGION = "(-[A-Za-z]{4})?", "(-([A-Za-z]{2}|[0-9]{3}))?"
VARIANTS = "(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
EXTENSIONS = "(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*"
PRIVATE = "[Xx](-[A-Za-z0-9]{1,8})+"
TAG = f"{LANGUAGE}{SCRIPT}{REGION}{VARIANTS}{EXTENSIONS}(-{PRIVATE})?"
"""``langtag`` in the grammar of RFC 5646, section 2.1."""
IRREGULAR = (
    "en-gb-oed|i-ami|i-bnn|i-default|i-enochian|i-hak|i-klingon|i-lux|i-mingo|i-navajo|i-pwn|i-tao|i-tay|i-tsu"
    "|sgn-be-fr|sgn-be-nl|sgn-ch-de"
)
"""The grandfathered tags there that ``langtag`` does not match, in small letters."""


def _matches(pattern: str, *others: str, of: str = "VALUE") -> str:
    """A condition on the whole of a text. The patterns are this file's own, and none has a quote in it."""
    return " AND ".join((f"""{of} COLLATE "C" ~ '^({pattern})$'""", *others))


class EmailAddress(TextDomain):
    """An e-mail address as a browser's form takes it (HTML Living Standard, "valid e-mail address").

    That is narrower than RFC 5322: no quotes, no comments, no letters beyond ASCII. At most 64 characters before the @
    and 254 in all (RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3). Capital letters stay as they are.
    """

    cache_ok = True
    title = "email_address"
    condition = _matches(
        f"[A-Za-z0-9.!#$%&''*+/=?^_`{{|}}~-]{{1,64}}@{LABEL}([.]{LABEL})*", "pg_catalog.length(VALUE) <= 254"
    )


class CountryCode(TextDomain):
    """Two capital letters, the form of an alpha-2 code in ISO 3166-1; which codes are given out changes with time."""

    cache_ok = True
    title = "country_code"
    condition = _matches("[A-Z]{2}")


class CurrencyCode(TextDomain):
    """Three capital letters, the form of an alphabetic code in ISO 4217; :class:`Money` says which are allowed."""

    cache_ok = True
    title = "currency_code"
    condition = _matches("[A-Z]{3}")


class LanguageTag(TextDomain):
    """A language tag that is well-formed in BCP 47 (RFC 5646, sections 2.1 and 2.2.9), in letters of any case.

    Whether its subtags are registered is not looked up.
    """

    cache_ok = True
    title = "language_tag"
    condition = (
        f"{_matches(f'{TAG}|{PRIVATE}')}"
        f""" OR {_matches(IRREGULAR, of='pg_catalog.lower(VALUE COLLATE "C")')}"""
    )


class Slug(TextDomain):
    """Small letters and digits, with single hyphens between them, as in the path of an address.

    At most 63 characters, so that it may be a label of a host's name too (RFC 1123, section 2.1).
    """

    cache_ok = True
    title = "slug"
    condition = _matches("[a-z0-9]+(-[a-z0-9]+)*", "pg_catalog.length(VALUE) <= 63")


class E164(TextDomain):
    """A telephone number as ITU-T E.164 has it (section 6), with a plus sign: at most 15 digits, the first not 0.

    Whether it is in use is not known.
    """

    cache_ok = True
    title = "e164"
    condition = _matches("[+][1-9][0-9]{1,14}")


class Percentage(NumberDomain):
    """From 0 to 100, with any number of digits: 19 is 19 %, which is 0.19 (SI Brochure, 9th edition, section 5.4.7)."""

    cache_ok = True
    title = "percentage"
    condition = "VALUE >= 0 AND VALUE <= 100"


class PositiveMoney(NumberDomain):
    """An amount above zero, of an exact number of digits; NaN is none.

    The currency stands in a column of its own, and :class:`Money` keeps the two together.

    Parameters
    ----------
    precision, scale
        Digits in all and after the point. They are part of the domain's name, such as ``positive_money_19_2``.

    Raises
    ------
    DeclarationError
        No ``numeric`` of PostgreSQL has such digits.
    """

    cache_ok = True
    title = "positive_money"
    condition = "VALUE > 0 AND VALUE <> 'NaN'"

    def __init__(self, precision: int = 19, scale: int = 2, schema: str = "") -> None:
        if not 0 <= scale <= precision <= 1000 or precision == 0:
            raise DeclarationError(
                f"PositiveMoney cannot have {precision} digits, {scale} of them after the point",
                hint="Give a precision from 1 to 1000, and a scale from 0 to the precision.",
            )
        self._make(f"{self.title}_{precision}_{scale}", sa.Numeric(precision, scale), schema)
        self.precision, self.scale = precision, scale
