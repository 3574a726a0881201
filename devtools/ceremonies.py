"""Runs the registration and login ceremonies over HTTP, against a service on this machine."""

from typing import Any, Final, Self

import httpx

from cli.errors import CommandError
from devtools.authenticator import NoPasskey, SoftAuthenticator
from devtools.encoding import from_b64url
from devtools.passkey_store import PasskeyStore
from devtools.soft_passkey import SoftPasskey

RP_ID: Final = "localhost"
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")


class ServiceRefused(CommandError):
    """The service refused. The text is the `detail` of its problem+json (RFC 9457)."""

    def __init__(self, text: str, http_status: int) -> None:
        super().__init__(text)
        self.http_status = http_status


class NotLocal(CommandError):
    """The URL or the relying party is not on this machine."""

    exit_status = 2


class NotRunning(CommandError):
    """No service answered at the URL."""

    exit_status = 3


class Ceremonies:
    """A client of the service at `url` that uses the passkeys in `store`."""

    def __init__(self, url: str, store: PasskeyStore) -> None:
        base, origin = local_addresses(url)
        self._store = store
        self._authenticator = SoftAuthenticator(origin=origin)
        self._authenticator.passkeys = store.passkeys()
        # Danger: a proxy that the environment names would see the token, hence trust_env=False.
        self._http = httpx.Client(base_url=base, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def register(self, person: dict[str, str]) -> dict[str, Any]:
        """Register an account with a new passkey, and store the passkey.

        `person`: the body of `/register/begin`. Returns the answer of `/register/complete`.
        """
        options = self._call("POST", "/register/begin", "publicKey", json=person)["publicKey"]
        _require_local_rp(options["rp"].get("id"))
        credential = self._authenticator.create(options)
        passkey = self._authenticator.passkeys[-1]
        # Store the passkey before sending it, and drop it only after a clear refusal: if the answer
        # is lost, the account may exist and needs its passkey.
        self._store.keep(passkey)
        body = {"email": person["email"], "credential": credential}
        try:
            return self._call("POST", "/register/complete", "id", "email", json=body)
        except ServiceRefused as refused:
            if 400 <= refused.http_status < 500:
                self._store.forget(passkey)
            raise

    def login(self, email: str | None, *, usernameless: bool = False) -> dict[str, Any]:
        """Log in, and return the answer of `/login/complete`.

        A usernameless login does not send the email; the email only selects a passkey of the store.
        """
        named = {"email": email} if email and not usernameless else {}
        options = self._call("POST", "/login/begin", "publicKey", json=named)["publicKey"]
        _require_local_rp(options.get("rpId"))
        passkey = self._passkey_of(email) if email and usernameless else None
        assertion = self._authenticator.get(options, passkey=passkey)
        # Store the sign count before sending it: a count that is used twice looks like a clone.
        self._store.keep(self._passkey_with(from_b64url(assertion["id"])))
        body = {**named, "assertion": assertion}
        return self._call("POST", "/login/complete", "access_token", "user", json=body)

    def user(self, user_id: str, token: str) -> dict[str, Any]:
        """The answer of `GET /users/{id}`."""
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
        """One HTTP exchange. Returns a JSON object that has the `expected` members.

        Raises ServiceRefused and NotRunning.
        """
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            where = self._http.base_url
            text = f"no answer from {where}: {error}; is the service running?"
            raise NotRunning(text) from error
        answer = _json_object(response)
        if not response.is_success:
            text = f"{_reason(answer)} ({response.status_code} from {path})"
            raise ServiceRefused(text, response.status_code)
        if not all(member in answer for member in expected):
            text = f"{response.url} does not answer as this service does"
            raise ServiceRefused(text, response.status_code)
        return answer


def local_addresses(url: str) -> tuple[str, str]:
    """The base URL to call for `url`, and the origin that a browser would have there.

    The base is built from the parsed parts: the URL that is called is the URL that was checked.
    Raises NotLocal.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NotLocal(f"{url!r} is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or parsed.host not in LOCAL_HOSTS:
        raise NotLocal(
            f"{url!r} is not http(s)://localhost: software passkeys stay on this machine"
        )
    if parsed.userinfo or parsed.raw_path not in (b"", b"/"):
        raise NotLocal(f"{url!r} must be scheme, host and port only")
    port = "" if parsed.port is None else f":{parsed.port}"
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}://{host}{port}", f"{parsed.scheme}://{RP_ID}{port}"


def _require_local_rp(rp_id: str | None) -> None:
    """Danger: the private keys lie in a plain file, so they must never be of use elsewhere."""
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
    """The `detail` of a problem+json (RFC 9457), followed by the errors of a 422."""
    errors = [f"{error['pointer']}: {error['message']}" for error in problem.get("errors", ())]
    return "; ".join([str(problem.get("detail", "refused without a reason")), *errors])
