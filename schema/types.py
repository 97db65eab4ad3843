"""The types that GraphQL shows. Their values are the stored documents themselves, read by key."""

from __future__ import annotations

import json
from dataclasses import fields
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NewType, cast

import strawberry
from strawberry.types.info import Info as StrawberryInfo

from resolvers.context import Context
from resolvers.etags import etag
from resolvers.identifiers import part_id
from resolvers.lists import CustomerPage as Page
from resolvers.lists import CustomerWindow, count_customers
from resolvers.parts import ADDRESS, PHONE_NUMBER, PartKind, find_part
from resolvers.viewer import Viewer as Viewing
from storage import documents
from storage.plans import QueryPlan as Plan
from storage.query import Filter

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

Info = StrawberryInfo[Context, None]
DateTime = NewType("DateTime", str)
DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant in UTC: RFC 3339 with milliseconds and Z, e.g. 2025-08-26T18:00:00.000Z.",
    serialize=lambda value: value,
    parse_value=str,
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
)


@lru_cache(maxsize=256)
def key(name: str) -> str:
    """Return the document's name of a field: camelCase."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def read(source: Any, name: str) -> object:
    """Resolve a field without a resolver: by key from a document, null if it was stored without; else by attribute."""
    return source.get(key(name)) if isinstance(source, dict) else getattr(source, name)


@strawberry.enum(description="The kind of address.")
class AddressType(Enum):
    """Kinds of addresses."""

    BILLING = strawberry.enum_value("billing", description="Where bills go.")
    SHIPPING = strawberry.enum_value("shipping", description="Where goods go.")
    HOME = strawberry.enum_value("home", description="Where the customer lives.")
    WORK = strawberry.enum_value("work", description="Where the customer works.")


@strawberry.enum(description="The kind of phone number.")
class PhoneType(Enum):
    """Kinds of phone numbers."""

    MOBILE = strawberry.enum_value("mobile", description="A mobile phone.")
    HOME = strawberry.enum_value("home", description="A phone at home.")
    WORK = strawberry.enum_value("work", description="A phone at work.")
    OTHER = strawberry.enum_value("other", description="Any other phone.")


def _field(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.interface(description="Anything with an id of its own (Relay).")
class Node:
    """The Relay interface."""

    id: strawberry.ID = _field("A UUID, the same that REST shows.")


@strawberry.type(description="A postal address of a customer.")
class Address:
    """An address."""

    id: strawberry.ID = _field("A stable UUID within the customer.")
    type: AddressType = _field("The kind of address.")
    street1: str = _field("Primary street address.")
    street2: str | None = _field("Secondary street address, if any.")
    city: str = _field("City name.")
    state: str = _field("State or province.")
    postal_code: str = _field("Postal or ZIP code.")
    country: str = _field("Country name or ISO code.")


@strawberry.type(description="A phone number of a customer.")
class PhoneNumber:
    """A phone number."""

    id: strawberry.ID = _field("A stable UUID within the customer.")
    type: PhoneType = _field("The kind of phone number.")
    country_code: str = _field("International country dialing code.")
    number: str = _field("Local phone number.")
    extension: str | None = _field("Extension number, if any.")


@strawberry.type(description="Which channels the customer accepts.")
class NotificationPreferences:
    """Notification preferences."""

    email: bool = _field("Whether the customer accepts email notifications.")
    sms: bool = _field("Whether the customer accepts SMS notifications.")
    push: bool = _field("Whether the customer accepts push notifications.")
    mail: bool = _field("Whether the customer accepts postal mail notifications.")


IdArgument = Annotated[strawberry.ID, strawberry.argument(description="The id of the part.")]


@strawberry.type(description="A customer with personal details, contact information and preferences.")
class Customer(Node):
    """A customer; its value is the stored document."""

    first_name: str = _field("Customer's first name.")
    middle_name: str | None = _field("Customer's middle name, if any.")
    last_name: str = _field("Customer's last name.")
    email: str = _field("Customer's email address; unique without regard to case.")
    addresses: list[Address] = _field("Customer addresses, at least one.")
    phone_numbers: list[PhoneNumber] = _field("Customer phone numbers, at least one.")
    notification_preferences: NotificationPreferences = _field("Notification channel preferences.")
    created_at: DateTime = _field("When the customer was created.")
    updated_at: DateTime = _field("When the customer was last changed.")
    version: int = _field("Grows by one with each change of any part; good as ifVersion.")

    @strawberry.field(description="The ETag of the full customer, good as If-Match over REST.")
    def etag(self) -> str:
        """Return the ETag of the plain full representation."""
        return etag(cast("documents.Customer", self))

    @strawberry.field(description="One address by id, or null.")
    def address(self, id: IdArgument) -> Address | None:  # noqa: A002 - the schema's name
        """Return one address."""
        return cast("Address | None", _part(self, ADDRESS, id))

    @strawberry.field(description="One phone number by id, or null.")
    def phone_number(self, id: IdArgument) -> PhoneNumber | None:  # noqa: A002 - the schema's name
        """Return one phone number."""
        return cast("PhoneNumber | None", _part(self, PHONE_NUMBER, id))

    @classmethod
    def is_type_of(cls, value: object, _info: GraphQLResolveInfo[Context]) -> bool:
        """Tell that a stored document is a customer: the only node there is."""
        return isinstance(value, dict)


def _part(customer: object, kind: PartKind, text: str) -> object:
    return find_part(cast("documents.Customer", customer), kind, part_id(text, kind.noun))


@strawberry.type(description="What stays of a deleted customer.")
class DeletedCustomer:
    """A tombstone."""

    id: strawberry.ID = _field("The customer's id; it is not used again.")
    version: int = _field("The version that the deletion made.")
    deleted_at: DateTime = _field("When the customer was deleted.")


@strawberry.type(description="Where a page lies in its list (Relay).")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = _field("Whether more customers follow.")
    has_previous_page: bool = _field("Whether customers come before.")
    start_cursor: str | None = _field("The cursor of the first customer of the page.")
    end_cursor: str | None = _field("The cursor of the last customer of the page.")


@strawberry.type(description="A customer and its place in the list (Relay).")
class CustomerEdge:
    """Relay's edge."""

    node: Customer = _field("The customer.")
    cursor: str = _field("Its place, for after and before.")


@strawberry.type(description="A page of customers by cursor (Relay).")
class CustomerConnection:
    """Relay's connection over one window of the list."""

    window: strawberry.Private[CustomerWindow]
    where: strawberry.Private[Filter]

    @strawberry.field(description="The customers with their cursors.")
    def edges(self) -> list[CustomerEdge]:
        """Return customers with cursors."""
        window = self.window
        nodes = enumerate(window.customers)
        return [CustomerEdge(node=cast("Customer", node), cursor=window.cursor(place)) for place, node in nodes]

    @strawberry.field(description="The customers alone.")
    def nodes(self) -> list[Customer]:
        """Return customers without cursors."""
        return _listed(self.window)

    @strawberry.field(description="Where the page lies.")
    def page_info(self) -> PageInfo:
        """Return Relay's PageInfo."""
        window = self.window
        return PageInfo(
            has_next_page=window.has_next,
            has_previous_page=window.has_previous,
            start_cursor=window.cursor(0) if window.customers else None,
            end_cursor=window.cursor(-1) if window.customers else None,
        )

    @strawberry.field(description="How many customers the whole list has; counted only when asked for.")
    async def total_count(self, info: Info) -> int:
        """Count the list."""
        return await count_customers(info.context, self.where)


def _listed(page: Page | CustomerWindow) -> list[Customer]:
    """Return the customers of a page, as they are shown where that is at hand."""
    return cast("list[Customer]", page.customers if page.shown is None else page.shown)


@strawberry.type(description="Which page this is, of how many.")
class PageNumbers:
    """The page object, as REST shows it."""

    page: int = _field("The number of this page, from 1.")
    size: int = _field("The most customers of a page.")
    total_elements: int | None = _field("How many customers the whole list has.")
    total_pages: int | None = _field("How many pages the whole list has.")


@strawberry.type(description="A page of customers by number.")
class CustomerPage:
    """A page for tables."""

    items: list[Customer] = _field("The customers of the page.")
    page: PageNumbers = _field("Which page this is.")

    @staticmethod
    def of(page: Page) -> CustomerPage:
        """Return GraphQL's form of a page."""
        numbers = PageNumbers(page=page.page, size=page.size, total_elements=page.total, total_pages=page.total_pages)
        return CustomerPage(items=_listed(page), page=numbers)


@strawberry.type(description="How the store answers a list.")
class QueryPlan:
    """The store's plan."""

    query: str = _field("The store's query, as JSON.")
    indexes: list[str] = _field("The indexes it goes by.")
    scans_collection: bool = _field("Whether it reads the whole collection.")
    sorts: bool = _field("Whether it sorts what an index did not give in order.")
    keys_examined: int = _field("How many index keys it looked at.")
    documents_examined: int = _field("How many documents it looked at.")
    returned: int = _field("How many documents it returned.")
    milliseconds: int = _field("The store's own time.")

    @staticmethod
    def of(plan: Plan) -> QueryPlan:
        """Return GraphQL's form of a plan."""
        facts = {field.name: getattr(plan, field.name) for field in fields(plan)}
        query = json.dumps(plan.query, default=bytes.hex, ensure_ascii=False)
        return QueryPlan(**{**facts, "query": query, "indexes": list(plan.indexes)})


@strawberry.type(description="One limit on what the caller may spend, in units: most requests cost one.")
class Quota:
    """A budget as it stands."""

    name: str = _field("The policy's name, as in the RateLimit header: caller or daily.")
    limit: int = _field("Units that may be spent in one window.")
    left: int = _field("Units that are left, this request paid.")
    window: int = _field("The window in seconds.")
    reset: int = _field("In how many seconds all of it is there again.")


@strawberry.type(description="Who the credentials belong to and what they allow.")
class Viewer:
    """The caller."""

    id: strawberry.ID = _field("The id of the credentials.")
    name: str = _field("Their name, as given when they were made.")
    scopes: list[str] = _field("What they allow.")
    quota: list[Quota] = _field("What is left to spend, the least first; empty where nothing is limited.")

    @staticmethod
    def of(viewer: Viewing) -> Viewer:
        """Return GraphQL's form of a caller."""
        caller = viewer.caller
        quota = [Quota(**budget._asdict()) for budget in viewer.quota]
        return Viewer(id=strawberry.ID(caller.id), name=caller.name, scopes=sorted(caller.scopes), quota=quota)
