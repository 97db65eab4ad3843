"""Every operation of the gateway, in the order of the documentation."""

from __future__ import annotations

from typing import Any, Final

from resolvers.bulk import batch_customers, replace_customers, update_customers
from resolvers.customers import (
    create_customer,
    delete_customer,
    get_customer,
    get_customer_by_email,
    get_customers,
    replace_customer,
    update_customer,
)
from resolvers.deletions import delete_customers
from resolvers.events import watch_customers
from resolvers.exports import export_customers
from resolvers.jobs import cancel_job, get_job, get_refused_lines, list_jobs
from resolvers.lists import count_customers, explain_customers, list_customers, search_customers, walk_customers
from resolvers.operation import Operation
from resolvers.part_operations import ADDRESSES, PHONE_NUMBERS
from resolvers.preferences import get_preferences, replace_preferences, set_preferences
from resolvers.uploads import import_customers
from resolvers.viewer import get_viewer
from resolvers.webhook_deliveries import DELIVERIES
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
    batch_customers,
    replace_customers,
    update_customers,
    *ADDRESSES.all(),
    *PHONE_NUMBERS.all(),
    get_preferences,
    replace_preferences,
    set_preferences,
    delete_customers,
    import_customers,
    export_customers,
    get_job,
    list_jobs,
    cancel_job,
    get_refused_lines,
    watch_customers,
    get_viewer,
    *WEBHOOKS,
    *DELIVERIES,
)
