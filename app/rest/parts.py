"""The handlers of addresses, phone numbers and notification preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from app.rest.call import Call
from app.rest.customers import PREFIX
from app.rest.representations import (
    changed_response,
    collection_body,
    empty_response,
    resource_response,
    tag_of,
)
from resolvers.commands import (
    AddPart,
    ChangeCustomer,
    ChangePart,
    GetCustomer,
    GetPart,
    PartResult,
    RemovePart,
)
from resolvers.part_operations import PartOperations
from resolvers.parts import parts_of, position
from resolvers.patches import Replace
from resolvers.preferences import get_preferences, replace_preferences, set_preferences
from storage.documents import Customer, PartId

_PREFERENCES: Final = "notificationPreferences"


@dataclass(frozen=True, slots=True)
class PartHandlers:
    """The handlers of one kind of part."""

    operations: PartOperations

    def _part_id(self, call: Call) -> PartId:
        kind = self.operations.kind
        return call.part_id(f"{kind.name}Id", kind.noun)

    def _part(self, result: PartResult) -> dict[str, object]:
        kind = self.operations.kind
        return parts_of(result.customer, kind)[position(result.customer, kind, result.part_id)]

    def _list(self, call: Call, customer: Customer) -> object:
        kind = self.operations.kind
        return collection_body(call, kind.list_name, parts_of(customer, kind))

    async def list(self, call: Call) -> Response:
        """GET the collection."""
        customer = await self.operations.list(call.ctx, GetCustomer(call.customer_id()))
        return resource_response(call, None, self._list(call, customer), customer)

    async def add(self, call: Call) -> Response:
        """POST to the collection."""
        command = AddPart(call.target(required=False), await call.body(), strict=call.strict, key=call.key())
        result = await self.operations.add(call.ctx, command)
        kind = self.operations.kind
        return resource_response(
            call,
            kind.name,
            self._part(result),
            result.customer,
            status=200 if call.dry_run else 201,
            location=f"{PREFIX}/customers/{result.customer['id']}/{kind.path}/{result.part_id}",
        )

    async def replace_all(self, call: Call) -> Response:
        """PUT the collection."""
        command = ChangeCustomer(
            call.target(required=True), await call.replacement(), strict=call.strict, key=call.key()
        )
        return self._changed_list(call, await self.operations.replace_all(call.ctx, command))

    async def update_all(self, call: Call) -> Response:
        """PATCH the collection."""
        command = ChangeCustomer(call.target(required=True), await call.patch(), strict=call.strict, key=call.key())
        return self._changed_list(call, await self.operations.update_all(call.ctx, command))

    async def clear(self, call: Call) -> Response:
        """DELETE the collection: refused, because one must stay."""
        command = ChangeCustomer(call.target(required=False), Replace(list))
        return self._changed_list(call, await self.operations.replace_all(call.ctx, command))

    def _changed_list(self, call: Call, customer: Customer) -> Response:
        return changed_response(call, None, self._list(call, customer), customer)

    async def get(self, call: Call) -> Response:
        """GET one part."""
        result = await self.operations.get(call.ctx, GetPart(call.customer_id(), self._part_id(call)))
        return resource_response(call, self.operations.kind.name, self._part(result), result.customer)

    async def replace(self, call: Call) -> Response:
        """PUT one part."""
        command = ChangePart(
            call.target(required=True),
            self._part_id(call),
            await call.replacement(),
            strict=call.strict,
            key=call.key(),
        )
        return self._changed(call, await self.operations.replace(call.ctx, command))

    async def update(self, call: Call) -> Response:
        """PATCH one part."""
        command = ChangePart(
            call.target(required=True),
            self._part_id(call),
            await call.patch(),
            strict=call.strict,
            key=call.key(),
        )
        return self._changed(call, await self.operations.update(call.ctx, command))

    def _changed(self, call: Call, result: PartResult) -> Response:
        name = self.operations.kind.name
        return changed_response(call, name, self._part(result), result.customer, result.part_id)

    async def remove(self, call: Call) -> Response:
        """DELETE one part."""
        command = RemovePart(call.target(required=False), self._part_id(call))
        customer = await self.operations.remove(call.ctx, command)
        return empty_response(call, 204, {} if call.dry_run else {"ETag": tag_of(call, customer)})


async def get_notification_preferences(call: Call) -> Response:
    """GET the preferences."""
    customer = await get_preferences(call.ctx, GetCustomer(call.customer_id()))
    return resource_response(call, _PREFERENCES, customer[_PREFERENCES], customer)


async def put_notification_preferences(call: Call) -> Response:
    """PUT the preferences."""
    command = ChangeCustomer(call.target(required=True), await call.replacement(), strict=call.strict, key=call.key())
    customer = await replace_preferences(call.ctx, command)
    return changed_response(call, _PREFERENCES, customer[_PREFERENCES], customer)


async def patch_notification_preferences(call: Call) -> Response:
    """PATCH the preferences."""
    command = ChangeCustomer(call.target(required=True), await call.patch(), strict=call.strict, key=call.key())
    customer = await set_preferences(call.ctx, command)
    return changed_response(call, _PREFERENCES, customer[_PREFERENCES], customer)
