"""The mutations: each is one operation, and answers the customer as it is then, to a caller who may see it."""

from __future__ import annotations

from typing import Annotated, Any, cast

import strawberry

from resolvers.bulk import batch_customers
from resolvers.commands import (
    CreateCustomer,
    DeleteCustomer,
)
from resolvers.customers import create_customer, delete_customer, replace_customer, update_customer
from resolvers.part_operations import ADDRESSES, PHONE_NUMBERS
from resolvers.patches import MergePatch, Replace
from resolvers.preferences import replace_preferences, set_preferences
from schema.batches import BatchResult, CustomerOperation, batch_of, creates_alone
from schema.commands import (
    Key,
    add_part,
    body_of,
    change_of,
    changed,
    key_of,
    remove_part,
    replace_part,
    replace_parts,
    shown,
    target_of,
    update_part,
)
from schema.inputs import (
    AddressInput,
    CreateCustomerInput,
    NotificationPreferencesInput,
    NotificationPreferencesReplacement,
    PhoneNumberInput,
    UpdateAddressInput,
    UpdateCustomerInput,
    UpdatePhoneNumberInput,
)
from schema.jobs import JobMutations
from schema.selection import selected_fields
from schema.types import Customer, DeletedCustomer, Info


def _says(description: str) -> Any:
    return strawberry.argument(description=description)


Id = Annotated[strawberry.ID, _says("The customer's UUID.")]
PartIdArgument = Annotated[strawberry.ID, _says("The UUID of the part.")]
Version = Annotated[int, _says("The version that the change was made from; another one is refused.")]
OptionalVersion = Annotated[int | None, _says("Refuse unless this is the present version.")]
DryRun = Annotated[bool | None, _says("Check everything and answer what would happen; store nothing.")]


@strawberry.type(description="Everything that can be changed.")
class Mutation(JobMutations):
    """The root of mutations."""

    @strawberry.mutation(description="Create a customer.")
    async def create_customer(
        self,
        info: Info,
        input: Annotated[CreateCustomerInput, _says("The new customer.")],  # noqa: A002
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: validation-error, conflict."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        return shown(
            await create_customer(info.context, CreateCustomer(body_of(input), dry_run=bool(dry_run), key=key))
        )

    @strawberry.mutation(description="Put another customer in the place of this one; id and creation stay.")
    async def replace_customer(
        self,
        info: Info,
        id: Id,  # noqa: A002
        input: Annotated[CreateCustomerInput, _says("The whole customer.")],  # noqa: A002
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error, conflict."""
        command = change_of(info, target_of(id, if_version, dry_run=dry_run), Replace(body_of(input)))
        return await changed(info, replace_customer, command)

    @strawberry.mutation(description="Change parts of a customer; what is omitted stays.")
    async def update_customer(
        self,
        info: Info,
        id: Id,  # noqa: A002
        patch: Annotated[UpdateCustomerInput, _says("What to change.")],
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error, conflict."""
        command = change_of(info, target_of(id, if_version, dry_run=dry_run), MergePatch(body_of(patch)))
        return await changed(info, update_customer, command)

    @strawberry.mutation(description="Erase a customer for good.")
    async def delete_customer(
        self,
        info: Info,
        id: Id,  # noqa: A002
        if_version: OptionalVersion = None,
        dry_run: DryRun = False,
    ) -> DeletedCustomer:
        """Problems: not-found, precondition-failed."""
        command = DeleteCustomer(target_of(id, if_version, dry_run=dry_run))
        return cast("DeletedCustomer", await delete_customer(info.context, command))

    @strawberry.mutation(description="Do several operations in one request: all or nothing, or each for itself.")
    async def batch_customers(
        self,
        info: Info,
        operations: Annotated[list[CustomerOperation], _says("The operations in their order, at most 1,000.")],
        atomic: Annotated[bool | None, _says("Whether nothing is changed where one operation cannot be done.")] = True,
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> BatchResult:
        """Problems: batch-failed, validation-error, unavailable."""
        if not creates_alone(operations):
            batch_customers.permit(info.context, selected_fields(info, "results", "customer"))
        key = key_of(info, idempotency_key, dry_run=dry_run)
        batch = batch_of(operations, atomic=atomic, dry_run=dry_run, key=key)
        return BatchResult.of(await batch_customers(info.context, batch), info.context)

    @strawberry.mutation(description="Add an address.")
    async def add_address(
        self,
        info: Info,
        customer_id: Id,
        input: Annotated[AddressInput, _says("The new address.")],  # noqa: A002
        if_version: OptionalVersion = None,
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        return await add_part(info, ADDRESSES, target_of(customer_id, if_version, dry_run=dry_run), input, key)

    @strawberry.mutation(description="Replace an address.")
    async def replace_address(
        self,
        info: Info,
        customer_id: Id,
        id: PartIdArgument,  # noqa: A002
        input: Annotated[AddressInput, _says("The whole address.")],  # noqa: A002
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await replace_part(info, ADDRESSES, target_of(customer_id, if_version, dry_run=dry_run), id, input)

    @strawberry.mutation(description="Change parts of an address; what is omitted stays.")
    async def update_address(
        self,
        info: Info,
        customer_id: Id,
        id: PartIdArgument,  # noqa: A002
        patch: Annotated[UpdateAddressInput, _says("What to change.")],
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await update_part(info, ADDRESSES, target_of(customer_id, if_version, dry_run=dry_run), id, patch)

    @strawberry.mutation(description="Remove an address; the last one must stay.")
    async def remove_address(
        self,
        info: Info,
        customer_id: Id,
        id: PartIdArgument,  # noqa: A002
        if_version: OptionalVersion = None,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await remove_part(info, ADDRESSES, target_of(customer_id, if_version, dry_run=dry_run), id)

    @strawberry.mutation(description="Replace all addresses; equal ones keep their ids.")
    async def replace_addresses(
        self,
        info: Info,
        customer_id: Id,
        input: Annotated[list[AddressInput], _says("All addresses.")],  # noqa: A002
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await replace_parts(info, ADDRESSES, target_of(customer_id, if_version, dry_run=dry_run), input)

    @strawberry.mutation(description="Add a phone number.")
    async def add_phone_number(
        self,
        info: Info,
        customer_id: Id,
        input: Annotated[PhoneNumberInput, _says("The new phone number.")],  # noqa: A002
        if_version: OptionalVersion = None,
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        return await add_part(info, PHONE_NUMBERS, target_of(customer_id, if_version, dry_run=dry_run), input, key)

    @strawberry.mutation(description="Replace a phone number.")
    async def replace_phone_number(
        self,
        info: Info,
        customer_id: Id,
        id: PartIdArgument,  # noqa: A002
        input: Annotated[PhoneNumberInput, _says("The whole phone number.")],  # noqa: A002
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await replace_part(info, PHONE_NUMBERS, target_of(customer_id, if_version, dry_run=dry_run), id, input)

    @strawberry.mutation(description="Change parts of a phone number; what is omitted stays.")
    async def update_phone_number(
        self,
        info: Info,
        customer_id: Id,
        id: PartIdArgument,  # noqa: A002
        patch: Annotated[UpdatePhoneNumberInput, _says("What to change.")],
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await update_part(info, PHONE_NUMBERS, target_of(customer_id, if_version, dry_run=dry_run), id, patch)

    @strawberry.mutation(description="Remove a phone number; the last one must stay.")
    async def remove_phone_number(
        self,
        info: Info,
        customer_id: Id,
        id: PartIdArgument,  # noqa: A002
        if_version: OptionalVersion = None,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await remove_part(info, PHONE_NUMBERS, target_of(customer_id, if_version, dry_run=dry_run), id)

    @strawberry.mutation(description="Replace all phone numbers; equal ones keep their ids.")
    async def replace_phone_numbers(
        self,
        info: Info,
        customer_id: Id,
        input: Annotated[list[PhoneNumberInput], _says("All phone numbers.")],  # noqa: A002
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        return await replace_parts(info, PHONE_NUMBERS, target_of(customer_id, if_version, dry_run=dry_run), input)

    @strawberry.mutation(description="Change some of the notification preferences; what is omitted stays.")
    async def set_notification_preferences(
        self,
        info: Info,
        customer_id: Id,
        patch: Annotated[NotificationPreferencesInput, _says("What to change.")],
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed, validation-error."""
        command = change_of(info, target_of(customer_id, if_version, dry_run=dry_run), MergePatch(body_of(patch)))
        return await changed(info, set_preferences, command)

    @strawberry.mutation(description="Replace all notification preferences.")
    async def replace_notification_preferences(
        self,
        info: Info,
        customer_id: Id,
        input: Annotated[NotificationPreferencesReplacement, _says("All four preferences.")],  # noqa: A002
        if_version: Version,
        dry_run: DryRun = False,
    ) -> Customer:
        """Problems: not-found, gone, precondition-failed."""
        command = change_of(info, target_of(customer_id, if_version, dry_run=dry_run), Replace(body_of(input)))
        return await changed(info, replace_preferences, command)
