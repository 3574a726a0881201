"""`ATTESTATION_ROOTS`: read and checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.relying_party.attestation.trust_anchors import TrustedRoots, read_roots
from core.relying_party.errors import BadCredential
from core.settings import Settings
from tests.vectors.source import pem_bundle, published_roots, vector


def start(**environment: object) -> Settings:
    return Settings.from_environment({name: str(value) for name, value in environment.items()})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two roots in one file, one in another, and a note for the operator."""
    first, second, third, *_ = published_roots()
    (tmp_path / "a.pem").write_bytes(pem_bundle([first, second]))
    (tmp_path / "b.pem").write_bytes(pem_bundle([third]))
    (tmp_path / "README.txt").write_text("Whom we trust, and since when.")
    return tmp_path


def test_every_certificate_of_every_pem_file_is_a_root(folder: Path) -> None:
    assert list(read_roots(folder)) == published_roots()[:3]
    assert start(ATTESTATION="direct", ATTESTATION_ROOTS=folder).attestation_roots == folder


def test_nothing_is_asked_for_by_default() -> None:
    settings = start()
    assert (settings.attestation, settings.attestation_roots) == ("none", None)


def refusal(**environment: object) -> str:
    with pytest.raises(ConfigurationError) as refused:
        start(**environment)
    return str(refused.value)


def test_direct_attestation_needs_roots() -> None:
    assert "ATTESTATION=direct needs ATTESTATION_ROOTS" in refusal(ATTESTATION="direct")


def test_roots_that_nobody_looks_at_are_a_mistake(folder: Path) -> None:
    assert "only ATTESTATION=direct" in refusal(ATTESTATION_ROOTS=folder)


def test_other_kinds_of_attestation_are_unknown() -> None:
    assert "ATTESTATION" in refusal(ATTESTATION="indirect")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(None, "", id="an empty folder"),
        pytest.param("roots.txt", "", id="no file named so"),
        pytest.param("roots.pem", "", id="an empty file"),
        pytest.param("roots.pem", "-----BEGIN CERTIFICATE-----", id="half a certificate"),
        pytest.param("roots.pem", "\x00\xff", id="no text"),
    ],
)
def test_a_folder_without_roots_does_not_start(
    tmp_path: Path, name: str | None, content: str
) -> None:
    if name:
        (tmp_path / name).write_text(content)
    assert str(tmp_path) in refusal(ATTESTATION="direct", ATTESTATION_ROOTS=tmp_path)


def test_one_bad_file_among_good_ones_does_not_start(folder: Path) -> None:
    (folder / "c.pem").write_text("junk")
    assert str(folder / "c.pem") in refusal(ATTESTATION="direct", ATTESTATION_ROOTS=folder)


def test_a_folder_that_cannot_be_read_does_not_start(tmp_path: Path) -> None:
    gone, file = tmp_path / "gone", tmp_path / "file"
    file.touch()
    (tmp_path / "folder.pem").mkdir()
    for path in (gone, file, tmp_path):
        assert "cannot be read" in refusal(ATTESTATION="direct", ATTESTATION_ROOTS=path)


def test_a_signature_over_sha_1_carries_no_trust() -> None:
    """An anchor needs no signature at all: it is what the operator put into the folder."""
    fake = vector("SimpleWebAuthn-038")
    (leaf,) = fake.chain
    roots = TrustedRoots([leaf])
    roots.require_chain([leaf], fake.moment)
    with pytest.raises(BadCredential, match="attestation_untrusted"):
        TrustedRoots(published_roots()).require_chain([leaf], fake.moment)
