"""Trust lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from credential_builders import Authority

from titledeed.credentials.trust import load_trust_anchors
from titledeed.errors import ConfigurationError


def test_missing_folder_gives_the_extra_anchors_alone(tmp_path: Path, authority: Authority) -> None:
    assert load_trust_anchors(tmp_path / "trust", authority.root) == authority.root.strip()
    assert load_trust_anchors(tmp_path / "trust") == ""


def test_every_list_counts_and_comments_do_not(tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path / "other")
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "a.pem").write_text(f"## a comment\n{other.root}trailing words\n")
    (trust / "notes.txt").write_text("no list")
    anchors = load_trust_anchors(trust, authority.root)
    assert anchors.count("BEGIN CERTIFICATE") == 2
    assert authority.root.strip() in anchors and other.root.strip() in anchors
    assert "comment" not in anchors and "words" not in anchors


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no certificate",
        b"\xff\xfe\x00",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
    ],
)
def test_garbage_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"bad\.pem"):
        load_trust_anchors(tmp_path)


def test_folder_named_like_a_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.pem").mkdir()
    with pytest.raises(ConfigurationError, match=r"folder\.pem"):
        load_trust_anchors(tmp_path)


def test_endless_list_is_refused(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "long.pem").write_text(authority.root * 8_000)
    with pytest.raises(ConfigurationError, match=r"long\.pem"):
        load_trust_anchors(tmp_path)
