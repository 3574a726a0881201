"""The image and the secrets, made once; no test changes what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.image import Image
from tests.deploy.workshop import MAKE_SECRETS, output_of


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make-secrets.sh makes."""
    folder = tmp_path_factory.mktemp("secrets")
    output_of(MAKE_SECRETS, folder)
    return folder
