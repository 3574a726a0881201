"""Every wire shape: what requests may hold and what answers hold.

Requests forbid unknown members. A credential is accepted as any JSON object here: a fault inside of
a credential is a failed ceremony, which has one public answer, and not a 422.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from core.clock import utc_text
from core.email_address import MAX_EMAIL, EmailAddress
from core.person import MAX_NAME, InvalidValue, parse_birth_date, parse_name

T = TypeVar("T")


def _validator(parse: Callable[[Any], T]) -> PlainValidator:
    """A pydantic validator that reports InvalidValue with its code and message."""

    def validate(value: Any) -> T:
        try:
            return parse(value)
        except InvalidValue as error:
            raise PydanticCustomError(error.code, error.message) from None

    return PlainValidator(validate)


def _parse_email(value: Any) -> EmailAddress:
    if isinstance(value, EmailAddress):
        return value
    if not isinstance(value, str):
        raise InvalidValue("email", "Must be an email address")
    try:
        return EmailAddress(value)
    except ValueError as error:
        raise InvalidValue("email", str(error)) from None


EMAIL_SCHEMA = {"type": "string", "format": "email", "maxLength": MAX_EMAIL}
Email = Annotated[EmailAddress, _validator(_parse_email), WithJsonSchema(EMAIL_SCHEMA)]
Name = Annotated[
    str,
    _validator(parse_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": r"\S"}),
]
BirthDate = Annotated[
    datetime,
    _validator(parse_birth_date),
    WithJsonSchema({"type": "string", "format": "date"}),
]
UtcTime = Annotated[
    datetime,
    PlainSerializer(utc_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _parse_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue("object", "Must be an object")
    return value


def _credential_schema(response: dict[str, str]) -> WithJsonSchema:
    text = {"type": "string", "description": "base64url without padding"}
    members: dict[str, Any] = {
        name: {**text, "description": meaning} for name, meaning in response.items()
    }
    required = [name for name in response if name not in ("userHandle", "transports")]
    if "transports" in members:
        members["transports"] = {"type": "array", "items": {"type": "string"}}
    return WithJsonSchema(
        {
            "type": "object",
            "required": ["id", "rawId", "type", "response"],
            "properties": {
                "id": text,
                "rawId": text,
                "type": {"type": "string", "const": "public-key"},
                "authenticatorAttachment": {"type": ["string", "null"]},
                "clientExtensionResults": {"type": "object"},
                "response": {"type": "object", "required": required, "properties": members},
            },
        }
    )


_ID = "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs"
_ATTESTATION: JsonDict = {
    "id": _ID,
    "rawId": _ID,
    "type": "public-key",
    "response": {"clientDataJSON": "eyJ0eXBl…", "attestationObject": "o2NmbXRk…"},
}
_ASSERTION: JsonDict = {
    "id": _ID,
    "rawId": _ID,
    "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBl…",
        "authenticatorData": "SZYN5YgO…",
        "signature": "MEUCIQC7…",
        "userHandle": "MGY4ZmFk…",
    },
}
RegistrationCredential = Annotated[
    dict[str, Any],
    _validator(_parse_object),
    _credential_schema(
        {
            "clientDataJSON": "what the browser says it was asked",
            "attestationObject": "the new passkey, CBOR",
            "transports": "how the passkey can be reached",
        },
    ),
]
AuthenticationCredential = Annotated[
    dict[str, Any],
    _validator(_parse_object),
    _credential_schema(
        {
            "clientDataJSON": "what the browser says it was asked",
            "authenticatorData": "what the authenticator vouches for",
            "signature": "over both of these",
            "userHandle": "whose passkey it is",
        },
    ),
]

_JANE: JsonDict = {"email": "jane@example.com"}
_PERSON: JsonDict = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "date_of_birth": "1990-01-15",
    "job_title": "Engineer",
}


class RequestBody(BaseModel):
    """A request body: unknown members are refused, not ignored."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class RegisterBegin(RequestBody):
    """The person who wants to register."""

    model_config = ConfigDict(json_schema_extra={"example": _PERSON})

    first_name: Name
    last_name: Name
    email: Email
    date_of_birth: BirthDate
    job_title: Name


class RegisterComplete(RequestBody):
    """The result of `navigator.credentials.create()`, as `credential.toJSON()` writes it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "jane@example.com", "credential": _ATTESTATION}}
    )

    email: Email
    credential: RegistrationCredential


class LoginBegin(RequestBody):
    """The account to log in to; without an email, any passkey of this relying party may answer."""

    model_config = ConfigDict(json_schema_extra={"example": _JANE})

    email: Email | None = None


class LoginComplete(RequestBody):
    """The result of `navigator.credentials.get()`, and the same email as at `/login/begin`."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "jane@example.com", "assertion": _ASSERTION}}
    )

    email: Email | None = None
    assertion: AuthenticationCredential


class ResponseBody(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True)


class Options(ResponseBody):
    """Options for `navigator.credentials`, in the form that `parse…OptionsFromJSON` reads."""

    publicKey: dict[str, Any]  # noqa: N815 (the name WebAuthn gives it)


class UserBrief(ResponseBody):
    """The members of an account that a login answers with."""

    id: str
    first_name: str
    last_name: str
    email: str
    role: Literal["user", "admin"]


class UserProfile(UserBrief):
    """An account; never credential material."""

    email_typed: str | None = Field(None, description="the address as it was typed")
    date_of_birth: UtcTime
    job_title: str
    created_at: UtcTime


class LoginAnswer(ResponseBody):
    """An access token and the account that it authorizes."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    user: UserBrief


class FieldError(BaseModel):
    """One fault of a request body; `pointer` is a JSON Pointer (RFC 6901)."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """Every refusal (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str


class ValidationProblem(Problem):
    """A request body that is refused; the input is never quoted."""

    errors: list[FieldError]
