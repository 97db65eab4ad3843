"""A client that openapi-python-client has made of the gateway's OpenAPI document: typed bodies, typed answers.

`openapi-python-client generate --url $API_URL/openapi.json --meta none --output-path customer_gateway` makes it.
"""

import os

from customer_gateway.api.customers import (
    create_customer,
    delete_customer,
    get_customer,
    list_customers,
    replace_customer,
)
from customer_gateway.client import AuthenticatedClient
from customer_gateway.models import Customer, CustomerInput, CustomerPage, Problem

client = AuthenticatedClient(os.environ["API_URL"], os.environ["API_KEY"], prefix="", auth_header_name="X-API-Key")
person = CustomerInput.from_dict(
    {
        "firstName": "Grace",
        "lastName": "Hopper",
        "email": "grace.hopper@example.com",
        "addresses": [
            {
                "type": "work",
                "street1": "1 Navy Yard",
                "city": "Washington",
                "state": "DC",
                "postalCode": "20374",
                "country": "USA",
            }
        ],
        "phoneNumbers": [{"type": "work", "countryCode": "+1", "number": "202-555-0199"}],
        "notificationPreferences": {"email": True, "sms": False, "push": False, "mail": True},
    }
)

created = create_customer.sync_detailed(client=client, body=person)
assert isinstance(created.parsed, Customer), created.parsed
print("created:", created.status_code, created.parsed.first_name)

person.middle_name = "Brewster"
customer_id, tag = created.parsed.id, created.headers["ETag"]
replaced = replace_customer.sync_detailed(customer_id, client=client, body=person, if_match=tag)
assert isinstance(replaced.parsed, Customer), replaced.parsed
print("replaced:", replaced.parsed.middle_name)

late = replace_customer.sync_detailed(customer_id, client=client, body=person, if_match=tag)
assert isinstance(late.parsed, Problem), late.parsed
print("refused:", late.parsed.status, late.parsed.title)

# A merge patch, which the generated function cannot send.
patched = client.get_httpx_client().patch(
    f"/api/v1/customers/{customer_id}",
    json={"firstName": "Amazing Grace"},
    headers={"If-Match": replaced.headers["ETag"]},
)
print("changed:", Customer.from_dict(patched.json()).first_name)

found = list_customers.sync(client=client, last_name="hopper")
assert isinstance(found, CustomerPage), found
print("found:", [one.middle_name for one in found.content])

print("erased:", delete_customer.sync_detailed(customer_id, client=client).status_code)
print("gone:", get_customer.sync_detailed(customer_id, client=client).status_code)
