"""The types that GraphQL shows. Their values are the stored documents themselves, read by key."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NewType, cast

import strawberry
from strawberry.types.info import Info as StrawberryInfo

from resolvers.context import Context
from resolvers.etags import etag
from resolvers.identifiers import part_id
from resolvers.parts import ADDRESS, PHONE_NUMBER, PartKind, find_part
from resolvers.viewer import Viewer as Viewing
from schema.fields import described
from storage import documents

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


@strawberry.interface(description="Anything with an id of its own (Relay).")
class Node:
    """The Relay interface."""

    id: strawberry.ID = described("A UUID, the same that REST shows.")


@strawberry.type(description="A postal address of a customer.")
class Address:
    """An address."""

    id: strawberry.ID = described("A stable UUID within the customer.")
    type: AddressType = described("The kind of address.")
    street1: str = described("Primary street address.")
    street2: str | None = described("Secondary street address, if any.")
    city: str = described("City name.")
    state: str = described("State or province.")
    postal_code: str = described("Postal or ZIP code.")
    country: str = described("Country name or ISO code.")


@strawberry.type(description="A phone number of a customer.")
class PhoneNumber:
    """A phone number."""

    id: strawberry.ID = described("A stable UUID within the customer.")
    type: PhoneType = described("The kind of phone number.")
    country_code: str = described("International country dialing code.")
    number: str = described("Local phone number.")
    extension: str | None = described("Extension number, if any.")


@strawberry.type(description="Which channels the customer accepts.")
class NotificationPreferences:
    """Notification preferences."""

    email: bool = described("Whether the customer accepts email notifications.")
    sms: bool = described("Whether the customer accepts SMS notifications.")
    push: bool = described("Whether the customer accepts push notifications.")
    mail: bool = described("Whether the customer accepts postal mail notifications.")


IdArgument = Annotated[strawberry.ID, strawberry.argument(description="The id of the part.")]


@strawberry.type(description="A customer with personal details, contact information and preferences.")
class Customer(Node):
    """A customer; its value is the stored document."""

    first_name: str = described("Customer's first name.")
    middle_name: str | None = described("Customer's middle name, if any.")
    last_name: str = described("Customer's last name.")
    email: str = described("Customer's email address; unique without regard to case.")
    addresses: list[Address] = described("Customer addresses, at least one.")
    phone_numbers: list[PhoneNumber] = described("Customer phone numbers, at least one.")
    notification_preferences: NotificationPreferences = described("Notification channel preferences.")
    created_at: DateTime = described("When the customer was created.")
    updated_at: DateTime = described("When the customer was last changed.")
    version: int = described("Grows by one with each change of any part; good as ifVersion.")

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

    id: strawberry.ID = described("The customer's id; it is not used again.")
    version: int = described("The version that the deletion made.")
    deleted_at: DateTime = described("When the customer was deleted.")


@strawberry.type(description="One limit on what the caller may spend, in units: most requests cost one.")
class Quota:
    """A budget as it stands."""

    name: str = described("The policy's name, as in the RateLimit header: caller or daily.")
    limit: int = described("Units that may be spent in one window.")
    left: int = described("Units that are left, this request paid.")
    window: int = described("The window in seconds.")
    reset: int = described("In how many seconds all of it is there again.")


@strawberry.type(description="Who the credentials belong to and what they allow.")
class Viewer:
    """The caller."""

    id: strawberry.ID = described("The id of the credentials.")
    name: str = described("Their name, as given when they were made.")
    scopes: list[str] = described("What they allow.")
    quota: list[Quota] = described("What is left to spend, the least first; empty where nothing is limited.")

    @staticmethod
    def of(viewer: Viewing) -> Viewer:
        """Return GraphQL's form of a caller."""
        caller = viewer.caller
        quota = [Quota(**budget._asdict()) for budget in viewer.quota]
        return Viewer(id=strawberry.ID(caller.id), name=caller.name, scopes=sorted(caller.scopes), quota=quota)
