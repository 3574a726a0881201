"""How the peers are spoken to that have a language of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench.load.api import Person, Requests, Script, Wrong
from bench.load.authenticator import Site


class _Dialect:
    """A table of scripts by kind."""

    kinds: tuple[str, ...] = ("register", "login", "profile")

    def __init__(self, host: str, site: Site) -> None:
        self._site = site
        self._requests = self._made(host)
        self._scripts: dict[str, Callable[[Person], Script]] = {
            "register": self._register,
            "login": self._login,
            "profile": self._profile,
        }

    def script(self, kind: str, person: Person) -> Script:
        return self._scripts[kind](person)

    def _made(self, host: str) -> Requests:
        return Requests(host)

    def _register(self, person: Person) -> Script:
        raise NotImplementedError

    def _login(self, person: Person) -> Script:
        raise NotImplementedError

    def _profile(self, person: Person) -> Script:
        raise NotImplementedError


class BetterAuth(_Dialect):
    """The passkey plugin's endpoints; a login is told apart by cookies, and names no email."""

    def _made(self, host: str) -> Requests:
        return Requests(host, b"Origin: http://%b" % host.encode())

    def _register(self, person: Person) -> Script:
        path = b"/api/auth/passkey/generate-register-options?context=%b" % person.email
        begun = yield self._requests.get(path)
        options = begun.json()
        person.passkey.handle = options["user"]["id"].encode()
        credential = person.passkey.create(self._site, options["challenge"].encode())
        body = b'{"response":%b,"createSession":true}' % credential
        answer = (yield self._verify("registration", body, begun.cookies())).json()
        if answer["user"]["email"].encode() != person.email:
            raise Wrong("somebody else was registered")

    def _login(self, person: Person) -> Script:
        begun = yield self._requests.get(b"/api/auth/passkey/generate-authenticate-options")
        challenge = begun.json()["challenge"].encode()
        assertion = person.passkey.answer(self._site, challenge)
        body = b'{"response":%b}' % assertion
        answer = yield self._verify("authentication", body, begun.cookies())
        user = answer.json()["user"]
        if user["email"].encode() != person.email or b"session_token=" not in answer.cookies():
            raise Wrong("no session")
        person.user_id = user["id"].encode()
        cookie = b"Cookie: %b\r\n" % answer.cookies()
        person.profile = self._requests.get(b"/api/auth/get-session", cookie)

    def _verify(self, ceremony: str, body: bytes, cookies: bytes) -> bytes:
        path = f"/api/auth/passkey/verify-{ceremony}"
        return self._requests.post(path, body, b"Cookie: %b\r\n" % cookies)

    def _profile(self, person: Person) -> Script:
        answer = (yield person.profile).json()
        if answer["user"]["id"].encode() != person.user_id:
            raise Wrong("somebody else's profile")


class FlaskSecurity(_Dialect):
    """Three requests register (the account first, then the passkey in its session)."""

    def _made(self, host: str) -> Requests:
        return Requests(host, b"Accept: application/json")

    def _register(self, person: Person) -> Script:
        made = yield self._requests.post("/register", b'{"email":"%b"}' % person.email)
        made.json()
        cookie = b"Cookie: %b\r\n" % made.cookies()
        named = b'{"name":"device","usage":"first"}'
        answer = (yield self._requests.post("/wan-register", named, cookie)).json()["response"]
        options = answer["credential_options"]
        person.passkey.handle = options["user"]["id"].encode()
        credential = person.passkey.create(self._site, options["challenge"].encode())
        path = f"/wan-register/{answer['wan_state']}"
        (yield self._once(path, credential, cookie)).json()

    def _once(self, path: str, credential: bytes, fields: bytes = b"") -> bytes:
        # The path is another each time: a prepared head would only fill the memory.
        body = b'{"credential":%b}' % json.dumps(credential.decode()).encode()
        return self._requests.post_once(path, body, fields)

    def _login(self, person: Person) -> Script:
        begin = self._requests.post("/wan-signin", b'{"identity":"%b"}' % person.email)
        answer = (yield begin).json()["response"]
        challenge = answer["credential_options"]["challenge"].encode()
        assertion = person.passkey.answer(self._site, challenge)
        path = f"/wan-signin/{answer['wan_state']}?include_auth_token"
        user: dict[str, Any] = (yield self._once(path, assertion)).json()["response"]["user"]
        token = user["authentication_token"].encode()
        if not token:
            raise Wrong("no token")
        person.profile = self._requests.get(b"/me", b"Authentication-Token: %b\r\n" % token)

    def _profile(self, person: Person) -> Script:
        answer = (yield person.profile).json()
        if answer["email"].encode() != person.email:
            raise Wrong("somebody else's profile")
