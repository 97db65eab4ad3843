"""Operations on a customer's notification preferences."""

from __future__ import annotations

from typing import cast

from resolvers.changes import change_customer, existing
from resolvers.commands import ChangeCustomer, GetCustomer
from resolvers.context import Context, Scope
from resolvers.meanings import keyed_change
from resolvers.operation import operation
from resolvers.problem import JsonValue
from resolvers.validation import check
from storage.documents import Customer, CustomerFields
from storage.model import NotificationPreferencesInput

_PATH = "/customers/{customerId}/notification-preferences"


@operation(
    "getNotificationPreferences",
    scope=Scope.READ,
    rest=(f"GET {_PATH}",),
    graphql=("Customer.notificationPreferences",),
    summary="Get the notification preferences of a customer",
)
async def get_preferences(ctx: Context, command: GetCustomer) -> Customer:
    """Return the customer whose preferences are asked for. Raises not-found and gone."""
    return await existing(ctx, command.id)


@operation(
    "replaceNotificationPreferences",
    scope=Scope.WRITE,
    rest=(f"PUT {_PATH}",),
    graphql=("Mutation.replaceNotificationPreferences",),
    summary="Replace the notification preferences of a customer",
    keyed=keyed_change,
)
async def replace_preferences(ctx: Context, command: ChangeCustomer) -> Customer:
    """Set all four preferences. Raises what `change_customer` raises."""
    return await _changed(ctx, command)


@operation(
    "setNotificationPreferences",
    scope=Scope.WRITE,
    rest=(f"PATCH {_PATH}",),
    graphql=("Mutation.setNotificationPreferences",),
    summary="Change some of the notification preferences of a customer",
    keyed=keyed_change,
)
async def set_preferences(ctx: Context, command: ChangeCustomer) -> Customer:
    """Set some of the preferences. Raises what `change_customer` raises."""
    return await _changed(ctx, command)


async def _changed(ctx: Context, command: ChangeCustomer) -> Customer:
    def decide(current: Customer) -> CustomerFields:
        before = cast("dict[str, JsonValue]", current["notificationPreferences"])
        preferences = check(
            NotificationPreferencesInput,
            command.change.apply(before),
            strict=command.strict,
            us_address_rules=False,
            locate=command.change.locate,
        )
        return cast("CustomerFields", {"notificationPreferences": preferences})

    return await change_customer(ctx, command.target, decide)
