"""Django's view of the tables; Freehold manages them, so that Django makes no migrations of them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from freehold.frameworks.django import current_tenant


class Product(models.Model):
    """What a company sells."""

    tenant_id: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(default=current_tenant, editable=False)
    id: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    name: models.TextField[str, str] = models.TextField()

    objects: ClassVar[models.Manager[Product]] = models.Manager()

    class Meta:
        """Managed by Freehold."""

        managed = False
        db_table = 'shop"."product'

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """Who ordered how many of it."""

    tenant_id: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(default=current_tenant, editable=False)
    id: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    product: models.ForeignKey[Product, Product] = models.ForeignKey(Product, models.PROTECT)
    quantity: models.IntegerField[int, int] = models.IntegerField()

    objects: ClassVar[models.Manager[Order]] = models.Manager()

    class Meta:
        """Managed by Freehold."""

        managed = False
        db_table = 'shop"."customer_order'

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product}"
