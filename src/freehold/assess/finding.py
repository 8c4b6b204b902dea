"""What a review finds: where, how bad, by what evidence, what mends it, and what would have prevented it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How soon somebody should look at it, worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOTE = "note"


class Area(StrEnum):
    """What a finding is about."""

    TENANCY = "tenancy"
    SHAPE = "keys and types"
    INDEXES = "indexes"
    SIZE = "size and vacuum"
    ROLES = "roles and functions"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a review looks for.

    Parameters
    ----------
    code
        Stable, such as ``A101``.
    query
        The file in ``sql/`` that lists what is wrong: severity or NULL, subject, evidence, what mends it.
    severity
        How bad it is where the query says nothing.
    prevented_by
        The declaration that would have prevented it, or empty.
    needs
        The predefined role whose rights the query wants: without them it would find nothing, and say nothing.
    """

    code: str
    query: str
    area: Area
    severity: Severity
    title: str
    prevented_by: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    check: Check
    severity: Severity
    subject: str
    evidence: str
    mend: str

    def as_dict(self) -> dict[str, Any]:
        """The finding in JSON's types."""
        return {
            "code": self.check.code,
            "area": str(self.check.area),
            "severity": str(self.severity),
            "title": self.check.title,
            "subject": self.subject,
            "evidence": self.evidence,
            "mend": self.mend,
            "prevented_by": self.check.prevented_by,
        }
