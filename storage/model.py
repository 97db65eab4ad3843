"""The input models: the Customer JSON Schema as pydantic checks it, with the gateway's caps.

Every write passes through `CustomerInput` (or the model of one part) once, at the border; what comes
out is clean and goes to the store as it is. Unknown properties are ignored, or refused where the
caller asks for strict handling (API Guidelines, Compatibility Contract; RFC 7240 section 4.4).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Final, cast

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StrictBool,
    StrictStr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from storage import us_addresses
from storage.documents import AddressType, PhoneType
from storage.text import MAX_TEXT, clean

MAX_PARTS = 50
"""The most addresses, and the most phone numbers, of one customer."""

_PLAIN_EMAIL_LENGTH: Final = 64
_PLAIN_EMAIL: Final = re.compile(
    r"{atom}(?:\.{atom})*@(?:{label}\.)+(?!(?:{special})$)[a-z]+".format(
        atom=r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+",
        label=r"[a-z0-9]+(?:-[a-z0-9]+)*",
        special="|".join(re.escape(name.rpartition(".")[2]) for name in SPECIAL_USE_DOMAIN_NAMES),
    ),
    re.ASCII | re.IGNORECASE,
)
"""What the library takes too, at many times the cost: plain ASCII, no quotes, no Punycode, no reserved domain."""


def _one_or_more(text: str) -> str:
    if not text:
        raise ValueError("must not be blank")
    return text


def check_email(text: str) -> str:
    """Return an e-mail address as it is.

    Raises:
        ValueError: it is none, or its domain is not a full name; the message is meant for the client.
    """
    if len(text) <= _PLAIN_EMAIL_LENGTH and _PLAIN_EMAIL.fullmatch(text):
        return text
    try:
        parts = validate_email(text, check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError("must be an e-mail address") from error
    if "." not in parts.ascii_domain:
        raise ValueError("must be an e-mail address with a full domain name")
    return text


Text = Annotated[StrictStr, AfterValidator(clean), Field(json_schema_extra={"maxLength": MAX_TEXT})]
Name = Annotated[Text, AfterValidator(_one_or_more), Field(json_schema_extra={"minLength": 1})]
Email = Annotated[
    Name, AfterValidator(check_email), WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})
]
PostalCode = Annotated[Text, Field(pattern=r"^[0-9A-Za-z\- ]+$")]
CountryCode = Annotated[Text, Field(pattern=r"^\+?[0-9]+$")]
LocalNumber = Annotated[Text, Field(pattern=r"^[0-9\- ]+$")]


class Input(BaseModel):
    """What all input models share; `schema_name` is their name in OpenAPI."""

    model_config = ConfigDict(extra="ignore", frozen=True, regex_engine="python-re")
    schema_name: ClassVar[str]

    def fields(self) -> dict[str, Any]:
        """Return the checked values as the plain mapping that is stored."""
        return self.model_dump(mode="python")


def _with_us_faults(error: ValidationError, faults: dict[str, str]) -> ValidationError:
    """Return an address's errors with the US rules' faults in the fields that have none yet."""
    told = error.errors(include_url=False)
    lines = [
        InitErrorDetails(type=one["type"], loc=one["loc"], input=one["input"], ctx=one.get("ctx", {})) for one in told
    ]
    more = {name: message for name, message in faults.items() if (name,) not in {one["loc"] for one in told}}
    rules = PydanticCustomError("us_address", "must follow the rules for US addresses", {"faults": more})
    return ValidationError.from_exception_data(error.title, [*lines, InitErrorDetails(type=rules, input=None)])


class AddressInput(Input):
    """A postal address."""

    schema_name = "AddressInput"
    type: AddressType = Field(description="The kind of address.")
    street1: Text = Field(description="Primary street address.")
    street2: Text | None = Field(default=None, description="Secondary street address, if any.")
    city: Text = Field(description="City name.")
    state: Text = Field(description="State or province.")
    postalCode: PostalCode = Field(description="Postal or ZIP code.")
    country: Text = Field(description="Country name or ISO code.")

    @model_validator(mode="wrap")
    @classmethod
    def _us_rules(
        cls, value: object, handler: ModelWrapValidatorHandler[AddressInput], info: ValidationInfo
    ) -> AddressInput:
        """Check the US rules beside the schema's own, so that all faults are told at once."""
        us = bool(info.context and info.context.get("us_address_rules")) and isinstance(value, dict)
        faults = us_addresses.faults_of(cast("dict[str, object]", value)) if us else {}
        try:
            address = handler(value)
        except ValidationError as error:
            if not faults:
                raise
            raise _with_us_faults(error, faults) from error
        if faults:
            raise PydanticCustomError("us_address", "must follow the rules for US addresses", {"faults": faults})
        return address


class PhoneNumberInput(Input):
    """A phone number."""

    schema_name = "PhoneNumberInput"
    type: PhoneType = Field(description="The kind of phone number.")
    countryCode: CountryCode = Field(description="International country dialing code.")
    number: LocalNumber = Field(description="Local phone number.")
    extension: Text | None = Field(default=None, description="Extension number, if any.")


class NotificationPreferencesInput(Input):
    """Which channels the customer accepts; all four are needed."""

    schema_name = "NotificationPreferencesInput"
    email: StrictBool = Field(description="Whether the customer accepts email notifications.")
    sms: StrictBool = Field(description="Whether the customer accepts SMS notifications.")
    push: StrictBool = Field(description="Whether the customer accepts push notifications.")
    mail: StrictBool = Field(description="Whether the customer accepts postal mail notifications.")


class CustomerInput(Input):
    """A customer without what the server makes itself (`id`, `createdAt`, `updatedAt`)."""

    schema_name = "CustomerInput"
    firstName: Name = Field(description="Customer's first name.")
    middleName: Name | None = Field(default=None, description="Customer's middle name, if any.")
    lastName: Name = Field(description="Customer's last name.")
    email: Email = Field(description="Customer's email address; unique without regard to case.")
    addresses: list[AddressInput] = Field(min_length=1, max_length=MAX_PARTS, description="Customer addresses.")
    phoneNumbers: list[PhoneNumberInput] = Field(
        min_length=1, max_length=MAX_PARTS, description="Customer phone numbers."
    )
    notificationPreferences: NotificationPreferencesInput = Field(description="Notification channel preferences.")
