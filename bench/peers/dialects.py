"""The scripts of the peers whose endpoints differ from this service's."""

from __future__ import annotations

import json
from typing import Any

from bench.load.api import Api, Person, Script, Wrong


class BetterAuth(Api):
    """The passkey plugin's endpoints; cookies identify a login, which names no email."""

    fields = ("Origin: http://{host}",)

    def register(self, person: Person) -> Script:
        path = b"/api/auth/passkey/generate-register-options?context=%b" % person.email
        begun = yield self._requests.get(path)
        options = begun.json()
        person.passkey.handle = options["user"]["id"].encode()
        credential = person.passkey.create(self._site, options["challenge"].encode())
        body = b'{"response":%b,"createSession":true}' % credential
        answer = (yield self._verify("registration", body, begun.cookies())).json()
        if answer["user"]["email"].encode() != person.email:
            raise Wrong("somebody else was registered")

    def login(self, person: Person) -> Script:
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

    def profile(self, person: Person) -> Script:
        answer = (yield person.profile).json()
        if answer["user"]["id"].encode() != person.user_id:
            raise Wrong("somebody else's profile")


class FlaskSecurity(Api):
    """Three requests register (the account first, then the passkey in its session)."""

    fields = ("Accept: application/json",)

    def register(self, person: Person) -> Script:
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
        # Each path is used once: a prepared head would only use memory.
        body = b'{"credential":%b}' % json.dumps(credential.decode()).encode()
        return self._requests.post_once(path, body, fields)

    def login(self, person: Person) -> Script:
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

    def profile(self, person: Person) -> Script:
        answer = (yield person.profile).json()
        if answer["email"].encode() != person.email:
            raise Wrong("somebody else's profile")
