"""Django on a layer of Freehold: the database backend is this package, ``ENGINE = "freehold.frameworks.django"``."""

from freehold.frameworks.django.fields import current_tenant
from freehold.frameworks.django.middleware import FreeholdMiddleware

__all__ = ["FreeholdMiddleware", "current_tenant"]
