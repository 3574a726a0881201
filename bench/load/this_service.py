"""The scripts for this service's endpoints, which the README describes."""

from __future__ import annotations

from bench.load.api import Api, Person, Script, Wrong

FORM = (
    b'{"first_name":"Jane","last_name":"Doe","email":"%b","date_of_birth":"1990-01-15",'
    b'"job_title":"Engineer"}'
)
NAMED, NAMELESS = b'{"email":"%b","assertion":%b}', b'{"assertion":%b}'


class ThisService(Api):
    """The API of `main:app`, and of each peer with the same endpoints."""

    kinds = ("register", "login", "usernameless", "profile")

    def register(self, person: Person) -> Script:
        options = (yield self._requests.post("/register/begin", FORM % person.email)).json()
        public_key = options["publicKey"]
        person.passkey.handle = public_key["user"]["id"].encode()
        credential = person.passkey.create(self._site, public_key["challenge"].encode())
        body = b'{"email":"%b","credential":%b}' % (person.email, credential)
        user = (yield self._requests.post("/register/complete", body)).json(201)
        if user["email"].encode() != person.email:
            raise Wrong("somebody else was registered")
        person.user_id = user["id"].encode()

    def login(self, person: Person) -> Script:
        begin = self._requests.post("/login/begin", b'{"email":"%b"}' % person.email)
        challenge = (yield begin).json()["publicKey"]["challenge"].encode()
        assertion = person.passkey.answer(self._site, challenge)
        body = NAMED % (person.email, assertion)
        self._keep(person, (yield self._requests.post("/login/complete", body)).json())

    def usernameless(self, person: Person) -> Script:
        begin = self._requests.post("/login/begin", b"{}")
        challenge = (yield begin).json()["publicKey"]["challenge"].encode()
        body = NAMELESS % person.passkey.answer(self._site, challenge)
        self._keep(person, (yield self._requests.post("/login/complete", body)).json())

    def _keep(self, person: Person, answer: dict[str, str]) -> None:
        person.token = answer["access_token"].encode()
        if not person.token:
            raise Wrong("no token")
        person.profile = self._requests.get(
            b"/users/%b" % person.user_id, b"Authorization: Bearer %b\r\n" % person.token
        )

    def profile(self, person: Person) -> Script:
        user = (yield person.profile).json()
        if user["id"].encode() != person.user_id:
            raise Wrong("somebody else's profile")
