"""A list and a create view; whose rows they reach is not their business."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from examples.django_shop.models import Order, Product


def who(request: HttpRequest) -> tuple[Any, str]:
    """Tenant and actor of a request; a gateway that authenticates sets these headers and strips the client's own."""
    tenant = request.headers.get("X-Tenant")
    try:
        return (uuid.UUID(tenant) if tenant else None), request.headers.get("X-Actor", "")
    except ValueError:
        raise BadRequest("X-Tenant is no UUID") from None


@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """The orders of the tenant."""
    found = Order.objects.select_related("product").order_by("id")
    return JsonResponse({"orders": [_order(each) for each in found]})


@csrf_exempt
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Order a product that the company sells from now on, if it did not yet: both or neither."""
    body = json.loads(request.body)
    product, _ = Product.objects.get_or_create(name=body["product"])
    order = Order.objects.create(product=product, quantity=body["quantity"])
    return JsonResponse(_order(order), status=201)


@csrf_exempt
@require_POST
def add_product(request: HttpRequest) -> HttpResponse:
    """Sell a new product."""
    product = Product.objects.create(name=json.loads(request.body)["name"])
    return JsonResponse({"id": product.id, "name": product.name}, status=201)


@transaction.non_atomic_requests
@require_GET
def names(request: HttpRequest) -> HttpResponse:
    """The names of the products, outside a transaction of the request: the statement is one of its own."""
    return JsonResponse({"names": list(Product.objects.order_by("name").values_list("name", flat=True))})


def _order(order: Order) -> dict[str, Any]:
    return {"id": order.id, "product": order.product.name, "quantity": order.quantity}
