"""The API of a system under load: each operation is a script of requests and answers."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, NamedTuple

from bench.load.authenticator import Passkey, Site

BROWSER = (
    b"User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 "
    b"(KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36\r\n"
)


class Answer(NamedTuple):
    """One HTTP answer; `head` holds status line and fields as they came."""

    status: int
    head: bytes
    body: bytes

    def json(self, status: int = 200) -> Any:
        """The body of an answer that must have this status. Raises Wrong."""
        if self.status != status:
            raise Wrong(f"status {self.status} instead of {status}")
        return json.loads(self.body)

    def cookies(self) -> bytes:
        """What `Set-Cookie` fields set, as the value of a `Cookie` field."""
        lines = self.head.split(b"\r\n")[1:]
        pairs = (line.partition(b":") for line in lines)
        set_cookie = (value for name, _, value in pairs if name.lower() == b"set-cookie")
        return b"; ".join(value.partition(b";")[0].strip() for value in set_cookie)


class Wrong(Exception):
    """An answer that is no success. The operation counts as an error and is not timed."""


Script = Generator[bytes, Answer, None]


class Person:
    """Somebody with a passkey, and what the system answered: ids, token, cookies."""

    __slots__ = ("cookies", "email", "passkey", "profile", "token", "user_id")

    def __init__(self, email: bytes, passkey: Passkey) -> None:
        self.email, self.passkey = email, passkey
        self.user_id = self.token = self.cookies = self.profile = b""


class Requests:
    """Builds requests to one server, with prepared header fields."""

    def __init__(self, host: str, *fields: bytes) -> None:
        every = (b"Host: " + host.encode(), *(fields or (b"Accept: */*",)))
        self._common = BROWSER + b"".join(field + b"\r\n" for field in every)
        self._heads: dict[str, bytes] = {}

    def post(self, path: str, body: bytes, fields: bytes = b"") -> bytes:
        """`fields` are whole header lines, each with its line end."""
        head = self._heads.get(path)
        if head is None:
            head = self._heads[path] = self._head(path)
        return _whole(head, body, fields)

    def post_once(self, path: str, body: bytes, fields: bytes = b"") -> bytes:
        """The same for a path that is used once: its head is not kept."""
        return _whole(self._head(path), body, fields)

    def _head(self, path: str) -> bytes:
        line = b"POST %b HTTP/1.1\r\n" % path.encode()
        return line + self._common + b"Content-Type: application/json\r\n"

    def get(self, path: bytes, fields: bytes = b"") -> bytes:
        return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path, self._common, fields)


def _whole(head: bytes, body: bytes, fields: bytes) -> bytes:
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (head, fields, len(body), body)


class Api:
    """The scripts of one system: the method named after a kind of operation is its script.

    Scripts raise Wrong, and keep in `person` what later scripts need.
    """

    kinds: tuple[str, ...] = ("register", "login", "profile")
    # Header fields of every request, instead of `Accept: */*`.
    fields: tuple[str, ...] = ()

    def __init__(self, host: str, site: Site) -> None:
        fields = [field.format(host=host).encode() for field in self.fields]
        self._site, self._requests = site, Requests(host, *fields)

    def script(self, kind: str, person: Person) -> Script:
        """A complete operation: `register`, `login`, `usernameless` or `profile`."""
        script: Script = getattr(self, kind)(person)
        return script
