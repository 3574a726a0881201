"""Every wire shape: parsed strictly at the edge, trusted inside.

Requests forbid unknown members. Credentials are objects the ceremonies take apart themselves:
whatever is wrong inside one is a failed ceremony, with the one answer that has.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
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

MAX_NAME = 100
MAX_EMAIL = 254
MAX_AGE_YEARS = 130
# Control characters, line and paragraph separators, direction overrides, lone surrogates.
INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"))
# Persian and Indic names are spelled with these two.
JOINERS = "\u200c\u200d"
WITHOUT_JOINERS = dict.fromkeys(map(ord, JOINERS))
# Unicode's Default_Ignorable_Code_Point: drawn as nothing, whatever their category.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
DATE = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?:Z|[+-]\d{2}:\d{2})?)?"
)


# Letters and digits, with single marks between them; no name for special use (RFC 6761).
PLAIN = re.compile(
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24}"
)
SPECIAL = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
# RFC 5321 §4.5.3.1.1 and RFC 1035 §2.3.4.
MAX_LOCAL, MAX_LABEL = 64, 63


class EmailAddress:
    """An email address: one `canonical` form per mailbox, and the form that was `typed`.

    Built from text only; raises ValueError for what is no address, or looks like another one.
    """

    __slots__ = ("canonical", "typed")

    def __init__(self, typed: str) -> None:
        self.typed = typed
        self.canonical = _canonical_email(typed)


def _canonical_email(typed: str) -> str:
    """Never kept from one time to the next: who was seen lately would be answered sooner."""
    if _is_plain(typed):
        return typed.lower()
    if len(typed) > MAX_EMAIL or _is_disguised(typed):
        raise ValueError("too long, or written in look-alike letters")
    try:
        valid = validate_email(typed, check_deliverability=False)
    except EmailNotValidError:
        # The library's message quotes the address.
        raise ValueError("not an email address") from None
    local = unicodedata.normalize("NFC", valid.local_part.casefold())
    canonical = f"{local}@{valid.ascii_domain.lower()}"
    # Folding makes some letters longer: nobody could type what is kept.
    if len(canonical.encode()) > MAX_EMAIL:
        raise ValueError("too long")
    return canonical


def _is_plain(typed: str) -> bool:
    """Whether this is one of the usual addresses, whose lower case is what the library would say.

    It asks for less than the library takes, in 2 us in place of 24; tests hold the two together.
    """
    local, _, domain = typed.partition("@")
    return (
        PLAIN.fullmatch(typed) is not None
        and len(local) <= MAX_LOCAL
        and len(typed) <= MAX_EMAIL
        and max(map(len, domain.split("."))) <= MAX_LABEL
        and not f".{domain.lower()}".endswith(SPECIAL)
    )


def _is_disguised(typed: str) -> bool:
    """Letters that turn into others (full width, Kelvin sign, ligatures), or alphabets mixed."""
    if typed.isascii():
        return False
    if IGNORABLE.search(typed):
        return True
    if unicodedata.normalize("NFKC", typed) != unicodedata.normalize("NFC", typed):
        return True
    if any(not char.isascii() and unicodedata.normalize("NFKC", char).isascii() for char in typed):
        return True
    local, _, domain = typed.rpartition("@")
    return any(len(_alphabets(part)) > 1 for part in (local, *domain.split(".")))


def _alphabets(text: str) -> set[str]:
    first_words = {unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()}
    return first_words & {"LATIN", "CYRILLIC", "GREEK"}


def _parse_email(value: Any) -> EmailAddress:
    if isinstance(value, EmailAddress):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("email", "Must be an email address")
    try:
        return EmailAddress(value)
    except ValueError:
        raise PydanticCustomError("email", "Must be a plain email address") from None


def _parse_name(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("text", "Must be text")
    # Normalizing takes quadratic time. Four characters at most become one (U+1F82).
    if len(value) > 4 * MAX_NAME:
        raise PydanticCustomError("too_long", "Must have at most 100 characters")
    text = unicodedata.normalize("NFC", value).strip()
    if not text.translate(WITHOUT_JOINERS).strip():
        raise PydanticCustomError("blank", "Must not be blank")
    if len(text) > MAX_NAME:
        raise PydanticCustomError("too_long", "Must have at most 100 characters")
    if IGNORABLE.search(text.translate(WITHOUT_JOINERS)) or any(
        unicodedata.category(char) in INVISIBLE and char not in JOINERS for char in text
    ):
        raise PydanticCustomError("characters", "Must not have invisible characters")
    return text


def _parse_birth(value: Any) -> datetime:
    match = DATE.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if match is None:
        raise PydanticCustomError("date", "Must be a date like 1990-01-15")
    try:
        born = date.fromisoformat(match[1])
        time.fromisoformat(match[2] or "00:00")
    except ValueError:
        raise PydanticCustomError("date", "Must be a date that exists") from None
    today = datetime.now(UTC).date()
    if born > today:
        raise PydanticCustomError("date", "Must not be in the future")
    if born.year < today.year - MAX_AGE_YEARS:
        raise PydanticCustomError("date", "Must not be more than 130 years ago")
    # A day of birth has no hour and no zone: midnight UTC stands for it.
    return datetime.combine(born, time(), UTC)


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


EMAIL_SCHEMA = {"type": "string", "format": "email", "maxLength": MAX_EMAIL}
Email = Annotated[EmailAddress, PlainValidator(_parse_email), WithJsonSchema(EMAIL_SCHEMA)]
Name = Annotated[
    str,
    PlainValidator(_parse_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": r"\S"}),
]
BirthDate = Annotated[
    datetime,
    PlainValidator(_parse_birth),
    WithJsonSchema({"type": "string", "format": "date"}),
]
UtcTime = Annotated[
    datetime,
    PlainSerializer(_utc_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PydanticCustomError("object", "Must be an object")
    return value


def _credential(response: dict[str, str]) -> WithJsonSchema:
    text = {"type": "string", "description": "base64url without padding"}
    members: dict[str, Any] = {
        name: {**text, "description": said} for name, said in response.items()
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
    PlainValidator(_object),
    _credential(
        {
            "clientDataJSON": "what the browser says it was asked",
            "attestationObject": "the new passkey, CBOR",
            "transports": "how the passkey can be reached",
        },
    ),
]
AuthenticationCredential = Annotated[
    dict[str, Any],
    PlainValidator(_object),
    _credential(
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


class Request(BaseModel):
    """A request body: unknown members are refused, not ignored."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class RegisterBegin(Request):
    """Who wants to register."""

    model_config = ConfigDict(json_schema_extra={"example": _PERSON})

    first_name: Name
    last_name: Name
    email: Email
    date_of_birth: BirthDate
    job_title: Name


class RegisterComplete(Request):
    """What `navigator.credentials.create()` gave, as `credential.toJSON()`."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "jane@example.com", "credential": _ATTESTATION}}
    )

    email: Email
    credential: RegistrationCredential


class LoginBegin(Request):
    """Who wants to log in; without an email, whoever holds a passkey."""

    model_config = ConfigDict(json_schema_extra={"example": _JANE})

    email: Email | None = None


class LoginComplete(Request):
    """What `navigator.credentials.get()` gave; the email that begin had, if it had one."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "jane@example.com", "assertion": _ASSERTION}}
    )

    email: Email | None = None
    assertion: AuthenticationCredential


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True)


class Options(Answer):
    """Options for `navigator.credentials`, for the browser's own `parse…OptionsFromJSON`."""

    publicKey: dict[str, Any]  # noqa: N815 (the name WebAuthn gives it)


class UserBrief(Answer):
    """An account, as a login names it."""

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


class LoginAnswer(Answer):
    """A token, and whom it is for."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    user: UserBrief


class FieldError(BaseModel):
    """One thing wrong with a body; `pointer` is a JSON Pointer (RFC 6901)."""

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
    """A body that cannot be read; the input is never quoted."""

    errors: list[FieldError]
