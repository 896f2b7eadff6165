"""One authority for all tests of this room: making keys is the slow part."""

from __future__ import annotations

from pathlib import Path

import pytest
from credential_builders import Authority, build_draft, render_media

from titledeed.models.asset import MediaType


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A development authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def signed_picture(tmp_path: Path, authority: Authority) -> Path:
    """A signed JPEG in an otherwise empty folder."""
    return sign_media(tmp_path, authority, MediaType.JPEG)


@pytest.fixture
def signed_clip(tmp_path: Path, authority: Authority) -> Path:
    """A signed MP4 in an otherwise empty folder."""
    return sign_media(tmp_path, authority, MediaType.MP4)


def sign_media(folder: Path, authority: Authority, media_type: MediaType) -> Path:
    """Render and sign a small file; only the signed one stays."""
    source = render_media(folder, media_type)
    signed = folder / f"signed.{media_type.extension}"
    authority.signer().sign(source, signed, build_draft(media_type))
    source.unlink()
    return signed
