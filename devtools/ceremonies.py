"""The real registration and login ceremonies over HTTP, against a service on this machine."""

from typing import Any, Final, Self

import httpx

from devtools.authenticator import NoPasskey, SoftAuthenticator
from devtools.encoding import from_b64url
from devtools.passkey_store import PasskeyStore
from devtools.soft_passkey import SoftPasskey

RP_ID: Final = "localhost"
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")


class Refused(Exception):
    """The service refused; the text is the `detail` of its problem+json."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class NotLocal(Exception):
    """The URL or the relying party is not this machine's."""


class NotRunning(Exception):
    """Nothing answered at the URL."""


class Ceremonies:
    """A client of the service, with the passkeys of one store behind it."""

    def __init__(self, url: str, store: PasskeyStore) -> None:
        base, origin = local_addresses(url)
        self._store = store
        self._authenticator = SoftAuthenticator(origin=origin)
        self._authenticator.passkeys = store.passkeys()
        # Danger: a proxy from the environment would see the token, hence trust_env=False.
        self._http = httpx.Client(base_url=base, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def register(self, person: dict[str, str]) -> dict[str, Any]:
        """The body of `/register/begin` in, the new user out; the passkey is kept in the store."""
        options = self._call("POST", "/register/begin", "publicKey", json=person)["publicKey"]
        _require_local_rp(options["rp"].get("id"))
        credential = self._authenticator.create(options)
        passkey = self._authenticator.passkeys[-1]
        # Kept before it is sent, and unless it is plainly refused: an account whose answer was
        # lost on the way still has its passkey.
        self._store.keep(passkey)
        body = {"email": person["email"], "credential": credential}
        try:
            return self._call("POST", "/register/complete", "id", "email", json=body)
        except Refused as refused:
            if 400 <= refused.status < 500:
                self._store.forget(passkey)
            raise

    def login(self, email: str | None, *, usernameless: bool = False) -> dict[str, Any]:
        """The answer of `/login/complete` out. A usernameless login does not tell the service the
        email; it only chooses among the passkeys of the store."""
        named = {"email": email} if email and not usernameless else {}
        options = self._call("POST", "/login/begin", "publicKey", json=named)["publicKey"]
        _require_local_rp(options.get("rpId"))
        passkey = self._passkey_of(email) if email and usernameless else None
        assertion = self._authenticator.get(options, passkey=passkey)
        # The sign count is kept before it is sent: one used twice looks like a cloned passkey.
        self._store.keep(self._passkey_with(from_b64url(assertion["id"])))
        body = {**named, "assertion": assertion}
        return self._call("POST", "/login/complete", "access_token", "user", json=body)

    def user(self, user_id: str, token: str) -> dict[str, Any]:
        """The user object of `GET /users/{id}`."""
        bearer = {"Authorization": f"Bearer {token}"}
        return self._call("GET", f"/users/{user_id}", "id", headers=bearer)

    def _passkey_with(self, credential_id: bytes) -> SoftPasskey:
        passkeys = self._authenticator.passkeys
        return next(held for held in passkeys if held.credential_id == credential_id)

    def _passkey_of(self, email: str) -> SoftPasskey:
        for passkey in self._authenticator.passkeys[::-1]:
            if passkey.user_name.casefold() == email.casefold():
                return passkey
        raise NoPasskey(email)

    def _call(self, method: str, path: str, *expected: str, **request: Any) -> dict[str, Any]:
        """One HTTP exchange: a JSON object with the members expected, or Refused, or NotRunning."""
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise NotRunning(f"no answer from {self._http.base_url}: {error}") from error
        answer = _json_object(response)
        if not response.is_success:
            text = f"{_reason(answer)} ({response.status_code} from {path})"
            raise Refused(text, response.status_code)
        if not all(member in answer for member in expected):
            text = f"{response.url} does not answer as this service does"
            raise Refused(text, response.status_code)
        return answer


def local_addresses(url: str) -> tuple[str, str]:
    """A URL in; the base URL to call and the origin of a browser there out, or NotLocal.

    The base is put together from the parsed parts, so that what was checked is what is called.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NotLocal(f"{url!r} is no URL: {error}") from error
    if parsed.scheme not in ("http", "https") or parsed.host not in LOCAL_HOSTS:
        raise NotLocal(
            f"{url!r} is not http(s)://localhost: software passkeys stay on this machine"
        )
    if parsed.userinfo or parsed.raw_path not in (b"", b"/"):
        raise NotLocal(f"{url!r} must be scheme, host and port alone")
    port = "" if parsed.port is None else f":{parsed.port}"
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}://{host}{port}", f"{parsed.scheme}://{RP_ID}{port}"


def _require_local_rp(rp_id: str | None) -> None:
    """Danger: a passkey in a plain file must never open an account anywhere but here."""
    if rp_id != RP_ID:
        raise NotLocal(
            f"the service is relying party {rp_id!r}; software passkeys are for {RP_ID!r}"
        )


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def _reason(problem: dict[str, Any]) -> str:
    """The `detail` of a problem+json (RFC 9457), and of a 422 which members are wrong and why."""
    errors = [f"{error['pointer']}: {error['message']}" for error in problem.get("errors", ())]
    return "; ".join([str(problem.get("detail", "refused without a reason")), *errors])
