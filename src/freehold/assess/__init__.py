"""An architecture review of any PostgreSQL database, from its catalog alone."""

from freehold.assess.finding import Area, Finding, Severity
from freehold.assess.review import Limits, Review, assess

__all__ = ["Area", "Finding", "Limits", "Review", "Severity", "assess"]
