"""Values that models take from the scope."""

from __future__ import annotations

from typing import Any

from freehold.errors import ContextMissing
from freehold.runtime.scope import current


def current_tenant() -> Any:
    """The tenant of the scope, as the default of a model's tenant column.

    >>> tenant_id = models.UUIDField(default=current_tenant, editable=False)  # doctest: +SKIP

    Raises
    ------
    ContextMissing
        No tenant acts.
    """
    tenant = current().tenant
    if tenant is None:
        raise ContextMissing(
            "A row of a tenant is made, and no tenant acts",
            hint="Make it inside freehold.acting(tenant=..., actor=...).",
        )
    return tenant
