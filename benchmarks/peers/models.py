"""The benchmark's table as two Django models: one tracked by statement triggers, one by row triggers."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models


class Account(models.Model):
    """The columns of the comparison."""

    id: models.BigIntegerField[Any, Any] = models.BigIntegerField(primary_key=True)
    tenant_id: models.BigIntegerField[Any, Any] = models.BigIntegerField()
    name: models.TextField[Any, Any] = models.TextField()
    email: models.TextField[Any, Any] = models.TextField(null=True)
    status: models.TextField[Any, Any] = models.TextField()
    amount: models.DecimalField[Any, Any] = models.DecimalField(max_digits=12, decimal_places=2)
    note: models.TextField[Any, Any] = models.TextField(null=True)
    created_at: models.DateTimeField[Any, Any] = models.DateTimeField()

    class Meta:
        abstract = True


@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent(), level=pghistory.Statement)
class ByStatement(Account):
    """Statement triggers."""

    class Meta:
        db_table = "pghistory_statement"


@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent(), level=pghistory.Row)
class ByRow(Account):
    """Row triggers."""

    class Meta:
        db_table = "pghistory_row"
