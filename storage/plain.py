"""Input that is clean as it was sent, recognised in one pass of compiled code.

A narrower form of each input model: whatever it takes, the model takes too, and would give back the same
values. Whatever it does not take is for the model, which alone cleans and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from storage.documents import AddressType, PhoneType
from storage.model import (
    MAX_PARTS,
    AddressInput,
    CustomerInput,
    Input,
    NotificationPreferencesInput,
    PhoneNumberInput,
    check_email,
)
from storage.text import MAX_TEXT

LETTERS: Final = "!-~\u00a1-\u02ff\u0400-\u0482\u048a-\u052f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
"""Characters that are no blanks and stay as they are in Unicode NFC, whichever of them stand together."""


def _text(letters: str, least: int = 1) -> CoreSchema:
    """Return the schema of text of at least so many of these letters, with blanks only between them."""
    pattern = f"^(?:[{letters}](?:[{letters} ]*[{letters}])?)?$"
    return core_schema.str_schema(strict=True, pattern=pattern, min_length=least, max_length=MAX_TEXT)


_TEXT: Final = _text(LETTERS, 0)
_NAME: Final = _text(LETTERS)
_FLAG: Final = core_schema.bool_schema(strict=True)


def _plain(model: type[Input], **kinds: CoreSchema) -> CoreSchema:
    """Return the schema of a model's fields, of which those that are no usual text have a kind of their own."""
    fields = {}
    for name, field in model.model_fields.items():
        kind = kinds.get(name, _TEXT)
        if not field.is_required():
            kind = core_schema.with_default_schema(core_schema.nullable_schema(kind), default=field.default)
        fields[name] = core_schema.typed_dict_field(kind, required=field.is_required())
    return core_schema.typed_dict_schema(fields)


def _list(part: CoreSchema) -> CoreSchema:
    return core_schema.list_schema(part, strict=True, min_length=1, max_length=MAX_PARTS)


_ADDRESS: Final = _plain(
    AddressInput, type=core_schema.literal_schema(list(get_args(AddressType))), postalCode=_text("0-9A-Za-z-")
)
_PHONE_NUMBER: Final = _plain(
    PhoneNumberInput,
    type=core_schema.literal_schema(list(get_args(PhoneType))),
    countryCode=core_schema.str_schema(strict=True, pattern=r"^\+?[0-9]+$", max_length=MAX_TEXT),
    number=_text("0-9-"),
)
_PREFERENCES: Final = _plain(
    NotificationPreferencesInput, **dict.fromkeys(NotificationPreferencesInput.model_fields, _FLAG)
)
_CUSTOMER: Final = _plain(
    CustomerInput,
    firstName=_NAME,
    middleName=_NAME,
    lastName=_NAME,
    email=core_schema.no_info_after_validator_function(check_email, _NAME),
    addresses=_list(_ADDRESS),
    phoneNumbers=_list(_PHONE_NUMBER),
    notificationPreferences=_PREFERENCES,
)
_VALIDATORS: Final[Mapping[type[Input], SchemaValidator]] = {
    CustomerInput: SchemaValidator(_CUSTOMER),
    AddressInput: SchemaValidator(_ADDRESS),
    PhoneNumberInput: SchemaValidator(_PHONE_NUMBER),
    NotificationPreferencesInput: SchemaValidator(_PREFERENCES),
}


def plain_fields(model: type[Input], value: dict[str, Any], *, strict: bool) -> dict[str, Any] | None:
    """Return the fields of an input that needs no cleaning and is valid, None where the model has to look.

    `strict` leaves input with unknown properties to the model. The rules for US addresses are not looked at.
    """
    try:
        fields = _VALIDATORS[model].validate_python(value, extra="forbid" if strict else "ignore")
    except ValidationError:
        return None
    return cast("dict[str, Any]", fields)
