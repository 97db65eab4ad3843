"""The handlers of customers: parse, one operation, render."""

from __future__ import annotations

from starlette.responses import Response

from app.rest.call import Call
from app.rest.questions import fields_of
from app.rest.representations import changed_response, customer_response, empty_response
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer, GetCustomer
from resolvers.customers import (
    create_customer,
    delete_customer,
    get_customer,
    replace_customer,
    representation,
    update_customer,
)

PREFIX = "/api/v1"


async def create(call: Call) -> Response:
    """POST /customers."""
    command = CreateCustomer(await call.body(), strict=call.strict, dry_run=call.dry_run, key=call.key())
    customer = await create_customer(call.ctx, command)
    status = 200 if call.dry_run else 201
    return customer_response(call, customer, status=status, location=f"{PREFIX}/customers/{customer['id']}")


async def get(call: Call) -> Response:
    """GET /customers/{customerId}."""
    command = GetCustomer(call.customer_id())
    fields_of(call.parameters)  # what is wrong with them is told before anything is read
    return customer_response(call, await get_customer(call.ctx, command))


async def replace(call: Call) -> Response:
    """PUT /customers/{customerId}."""
    command = ChangeCustomer(call.target(required=True), await call.replacement(), strict=call.strict, key=call.key())
    customer = await replace_customer(call.ctx, command)
    return changed_response(call, "customer", representation(customer), customer)


async def update(call: Call) -> Response:
    """PATCH /customers/{customerId}."""
    command = ChangeCustomer(call.target(required=True), await call.patch(), strict=call.strict, key=call.key())
    customer = await update_customer(call.ctx, command)
    return changed_response(call, "customer", representation(customer), customer)


async def delete(call: Call) -> Response:
    """DELETE /customers/{customerId}."""
    await delete_customer(call.ctx, DeleteCustomer(call.target(required=False)))
    return empty_response(call, 204)
