"""A token is read from one header and with one scheme only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.features.http.problems import problem
from tests.features.tokens.conftest import Target

ABSENT = {
    "no header": lambda text: None,
    "an empty header": lambda text: "",
    "the scheme alone": lambda text: "Bearer",
    "the scheme and a space": lambda text: "Bearer ",
    "no scheme": lambda text: text,
    "another scheme": lambda text: f"Token {text}",
    "Basic": lambda text: "Basic amFuZTpzZWNyZXQ=",
    "DPoP": lambda text: f"DPoP {text}",
    "a comma for the space": lambda text: f"Bearer,{text}",
    "a colon behind the scheme": lambda text: f"Bearer: {text}",
}


def get(target: Target, authorization: str | None) -> tuple[int, dict[str, str]]:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = target.service.request("GET", f"/users/{target.user_id}", headers=headers)
    return answer.status_code, dict(answer.headers)


@pytest.mark.parametrize("header", ABSENT.values(), ids=ABSENT)
def test_without_a_bearer_token_nobody_is_authenticated(
    target: Target, header: Callable[[str], str | None]
) -> None:
    """C2: 401 with a challenge that has no error, because there was no token (RFC 6750 §3.1)."""
    given = header(target.good.text)
    headers = {} if given is None else {"Authorization": given}
    answer = target.service.request("GET", f"/users/{target.user_id}", headers=headers)
    assert problem(answer, 401, "not_authenticated")["detail"] == "Not authenticated"
    assert answer.headers.get_list("www-authenticate") == ["Bearer"]
    row = target.service.last_audit("token_rejected")
    assert (row["reason"], row["user_id"], row["user_email"]) == ("missing", None, None)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(target: Target, scheme: str) -> None:
    """RFC 9110: authentication schemes are case-insensitive."""
    status, _ = get(target, f"{scheme} {target.good.text}")
    assert status == 200


@pytest.mark.parametrize(
    "place",
    [
        {"params": {"access_token": "{}"}},
        {"params": {"token": "{}"}},
        {"cookies": {"access_token": "{}"}},
        {"cookies": {"Authorization": "Bearer {}"}},
        {"headers": {"X-Access-Token": "{}"}},
        {"headers": {"Proxy-Authorization": "Bearer {}"}},
        {"headers": {"Cookie": "webauthn_jwt={}"}},
    ],
    ids=str,
)
def test_a_token_anywhere_else_is_no_token(
    target: Target, place: dict[str, dict[str, str]]
) -> None:
    """C3: not from a URL, which logs would keep, nor from a cookie, which any page could send."""
    filled = {
        where: {name: text.replace("{}", target.good.text) for name, text in what.items()}
        for where, what in place.items()
    }
    path = f"/users/{target.user_id}"

    async def send() -> int:
        client = target.service.client
        client.cookies.update(filled.pop("cookies", {}))
        answer = await client.get(path, **filled)  # type: ignore[arg-type]
        client.cookies.clear()
        return answer.status_code

    assert target.service.run(send()) == 401


def test_no_answer_sets_a_cookie(target: Target) -> None:
    """C3: the service is stateless. A cookie that is not set cannot be stolen or sent by a page."""
    for path in ("/", "/docs", f"/users/{target.user_id}"):
        assert "set-cookie" not in target.service.get(path, target.good.text).headers
