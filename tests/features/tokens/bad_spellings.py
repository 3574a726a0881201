"""Texts that a lenient reader would accept as a token, or as the same token."""

from __future__ import annotations

import json

from core.tokens.access_tokens import MAX_LENGTH
from tests.features.tokens.bad_headers import OTHER_KEY, Forgery, resigned
from tests.features.tokens.forge import Genuine, b64, mac, unb64


def stretched(good: Genuine) -> str:
    """The genuine token with one more character in its middle."""
    claims = good.parts[1]
    return good.with_parts("", f"{claims[:8]} {claims[8:]}", "")


def flipped(good: Genuine) -> str:
    signature = bytearray(unb64(good.parts[2]))
    signature[0] ^= 1
    return good.with_parts("", "", b64(bytes(signature)))


def loose_bits(good: Genuine) -> str:
    """Another spelling of the same signature: 32 bytes leave two bits over in 43 characters."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(good.text[-1])
    return good.text[:-1] + alphabet[last ^ 1]


def padded_segments(good: Genuine) -> str:
    """A token whose segments have padding, and whose signature covers the padding."""
    signed = ".".join(part + "=" * (-len(part) % 4) for part in good.parts[:2])
    return f"{signed}.{mac(signed)}"


def standard_base64(good: Genuine) -> str:
    """Claims whose base64 has a slash, in the alphabet that URLs cannot carry."""
    text = json.dumps({**good.claims, "first_name": "?>?>?>?>"}).encode()
    signed = f"{good.parts[0]}.{b64(text).replace('-', '+').replace('_', '/')}"
    return f"{signed}.{mac(signed)}"


def jwe(good: Genuine) -> str:
    secret = {"alg": "dir", "enc": "A256GCM", "typ": "at+jwt"}
    return ".".join([b64(json.dumps(secret).encode()), "", b64(b"iv"), b64(b"text"), b64(b"tag")])


SPELLINGS: dict[str, Forgery] = {
    "signature missing": (lambda good: ".".join(good.parts[:2]) + ".", "InvalidSignature"),
    "signature and its dot missing": (lambda good: ".".join(good.parts[:2]), "Decode"),
    "signature truncated": (lambda good: good.text[:-11], "InvalidSignature"),
    "signature of one byte": (lambda good: good.with_parts("", "", "AA"), "InvalidSignature"),
    "signature of zeros": (
        lambda good: good.with_parts("", "", b64(bytes(32))),
        "InvalidSignature",
    ),
    "signature with one bit changed": (flipped, "InvalidSignature"),
    "signature too long": (lambda good: good.text + "AAAA", "InvalidSignature"),
    "signature of another key": (
        resigned({"alg": "HS256", "typ": "at+jwt"}, OTHER_KEY),
        "InvalidSignature",
    ),
    "signature of other claims": (
        lambda good: good.with_parts("", good.with_claims(role="admin").split(".")[1], ""),
        "InvalidSignature",
    ),
    "signature in hexadecimal": (
        lambda good: good.with_parts("", "", unb64(good.parts[2]).hex()),
        "InvalidSignature",
    ),
    "signature with loose bits": (loose_bits, "Decode"),
    "signature padded": (lambda good: good.text + "=", "malformed"),
    "signature padded too much": (lambda good: good.text + "===", "Decode"),
    "header and claims padded": (padded_segments, "malformed"),
    "standard base64": (standard_base64, "Decode"),
    "no dots": (lambda good: good.text.replace(".", ""), "Decode"),
    "a dot alone": (lambda good: ".", "Decode"),
    "two dots alone": (lambda good: "..", "Decode"),
    "an extra dot before": (lambda good: "." + good.text, "Decode"),
    "an extra dot behind": (lambda good: good.text + ".", "Decode"),
    "a fourth part": (lambda good: good.text + ".AAAA", "Decode"),
    "JWE": (jwe, "Decode"),
    "JSON serialization": (
        lambda good: json.dumps({"payload": good.parts[1], "signature": good.parts[2]}),
        "Decode",
    ),
    "white space inside": (stretched, "Decode"),
    "a comma and a second token": (lambda good: f"{good.text}, {good.text}", "Decode"),
    "quotes around it": (lambda good: f'"{good.text}"', "Decode"),
    "not ASCII": (lambda good: "é" + good.text[1:], "Decode"),
    "a percent escape": (lambda good: good.text.replace(".", "%2E"), "Decode"),
    "just past the longest": (lambda good: good.with_claims(pad="x" * MAX_LENGTH), "too_long"),
    "10 kB of letters": (lambda good: "a" * 10_000, "too_long"),
    "10 kB of dots": (lambda good: "." * 10_000, "too_long"),
    "claims deep": (lambda good: good.claims_text(b"[" * 2900 + b"]" * 2900), "Decode"),
    "claims a list": (lambda good: good.claims_text(b"[]"), "Decode"),
    "claims null": (lambda good: good.claims_text(b"null"), "Decode"),
    "claims empty": (lambda good: good.claims_text(b""), "Decode"),
    "claims no JSON": (lambda good: good.claims_text(b"sub=1"), "Decode"),
    "claims in UTF-16": (
        lambda good: good.claims_text(json.dumps(good.claims).encode("utf-16")),
        "malformed",
    ),
    "claims after a byte order mark": (
        lambda good: good.claims_text(b"\xef\xbb\xbf" + json.dumps(good.claims).encode()),
        "malformed",
    ),
    "a claim twice": (
        lambda good: good.claims_text(b'{"sub":"x",' + json.dumps(good.claims).encode()[1:]),
        "malformed",
    ),
    "an expiry twice": (
        lambda good: good.claims_text(json.dumps(good.claims).encode()[:-1] + b',"exp":1e300}'),
        "claim_type",
    ),
    "an integer of 5000 digits": (
        lambda good: good.claims_text(
            b'{"exp":' + b"9" * 5000 + b"," + json.dumps(good.claims).encode()[1:]
        ),
        "Decode",
    ),
}
