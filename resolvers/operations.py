"""Every operation of the gateway, in the order of the documentation."""

from __future__ import annotations

from typing import Any, Final

from resolvers.customers import (
    create_customer,
    delete_customer,
    get_customer,
    get_customer_by_email,
    get_customers,
    replace_customer,
    update_customer,
)
from resolvers.lists import count_customers, explain_customers, list_customers, search_customers, walk_customers
from resolvers.operation import Operation
from resolvers.part_operations import ADDRESSES, PHONE_NUMBERS
from resolvers.preferences import get_preferences, replace_preferences, set_preferences
from resolvers.viewer import get_viewer
from resolvers.webhooks import WEBHOOKS

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    create_customer,
    list_customers,
    search_customers,
    walk_customers,
    count_customers,
    explain_customers,
    get_customer,
    get_customers,
    get_customer_by_email,
    replace_customer,
    update_customer,
    delete_customer,
    *ADDRESSES.all(),
    *PHONE_NUMBERS.all(),
    get_preferences,
    replace_preferences,
    set_preferences,
    get_viewer,
    *WEBHOOKS,
)
