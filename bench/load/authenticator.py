"""A software authenticator that costs little CPU: one signature, the rest is prepared bytes.

The answers are those of `devtools.authenticator` for an honest ES256 passkey (WebAuthn L3 §6.1,
§6.5, §8.7); here they are put together from templates, because the client shares the machine.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_bytes

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ES256 = ec.ECDSA(SHA256())
CURVE = ec.SECP256R1()
# User present, user verified; attested credential data follows.
PRESENT_VERIFIED, ATTESTED = 0x05, 0x40
NO_AAGUID = bytes(16)
# CBOR: {"fmt": "none", "attStmt": {}, "authData": 164 bytes}, and the two halves of a COSE key.
ATTESTATION_HEAD = b"\xa3cfmtdnonegattStmt\xa0hauthDataX\xa4"
COSE_HEAD, COSE_MIDDLE = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", b"\x22\x58\x20"
CREDENTIAL = (
    b'{"id":"%b","rawId":"%b","type":"public-key","authenticatorAttachment":"platform",'
    b'"clientExtensionResults":{},"response":{"clientDataJSON":"%b",%b}}'
)
ATTESTED_RESPONSE = b'"attestationObject":"%b","transports":["internal"]'
ASSERTED_RESPONSE = b'"authenticatorData":"%b","signature":"%b","userHandle":"%b"'


def b64url(data: bytes) -> bytes:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=")


class Site:
    """The page that a browser shows: what its client data and authenticator data begin with."""

    def __init__(self, origin: str, rp_id: str = "localhost") -> None:
        self.rp_id_hash = sha256(rp_id.encode()).digest()
        self._tail = b'","origin":"%b","crossOrigin":false}' % origin.encode()

    def client_data(self, ceremony: bytes, challenge: bytes) -> bytes:
        """`create` or `get`, the challenge as it stands in the options; the UTF-8 bytes."""
        return b'{"type":"webauthn.%b","challenge":"%b%b' % (ceremony, challenge, self._tail)


class Passkey:
    """One ES256 key with its counter; made before the measurement, as key generation is slow."""

    __slots__ = ("_key", "count", "credential_id", "handle", "id")

    def __init__(self) -> None:
        self._key = ec.generate_private_key(CURVE)
        self.credential_id = token_bytes(32)
        self.id = b64url(self.credential_id)
        self.handle = b""
        self.count = 0

    def create(self, site: Site, challenge: bytes) -> bytes:
        """The RegistrationResponseJSON for a challenge."""
        client_data = site.client_data(b"create", challenge)
        attestation = b64url(ATTESTATION_HEAD + self._attested_data(site))
        response = ATTESTED_RESPONSE % attestation
        return CREDENTIAL % (self.id, self.id, b64url(client_data), response)

    def _attested_data(self, site: Site) -> bytes:
        public = self._key.public_key()
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return b"".join(
            (
                site.rp_id_hash,
                bytes([PRESENT_VERIFIED | ATTESTED]),
                self.count.to_bytes(4, "big"),
                NO_AAGUID,
                len(self.credential_id).to_bytes(2, "big"),
                self.credential_id,
                COSE_HEAD,
                point[1:33],
                COSE_MIDDLE,
                point[33:],
            )
        )

    def answer(self, site: Site, challenge: bytes) -> bytes:
        """The AuthenticationResponseJSON for a challenge; the counter moves on."""
        self.count += 1
        client_data = site.client_data(b"get", challenge)
        data = site.rp_id_hash + b"\x05" + self.count.to_bytes(4, "big")
        signature = self._key.sign(data + sha256(client_data).digest(), ES256)
        response = ASSERTED_RESPONSE % (b64url(data), b64url(signature), self.handle)
        return CREDENTIAL % (self.id, self.id, b64url(client_data), response)
