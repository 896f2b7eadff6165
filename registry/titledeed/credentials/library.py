"""Settings of the C2PA library: offline, trust checked, no thumbnails.

The library takes unknown keys in silence, so these are written out once, here, and a test holds
each to its effect.
"""

from __future__ import annotations

import re
from typing import Final

from titledeed.canonical.documents import Json

TRUSTED_PURPOSES: Final = "\n".join(
    (
        "1.3.6.1.4.1.62558.2.1",  # C2PA claimSigning
        "1.3.6.1.5.5.7.3.4",  # emailProtection
        "1.3.6.1.5.5.7.3.36",  # documentSigning
    )
)
"""Extended key usages of a claim signer (C2PA 2.4, "Trust Model"); unlisted ones are invalid."""

LARGE_FILE_BYTES: Final = 100 * 1024 * 1024
"""From here on memory is kept flat, at the price of speed."""
_MERKLE_CHUNK_KIB: Final = 1_024
_MEMORY_THRESHOLD_MIB: Final = 16


NO_MANIFEST: Final = "ManifestNotFound"
NOT_SUPPORTED: Final = "NotSupported"
REMOTE_ONLY: Final = "Remote"
"""Kinds of error: the file names a manifest elsewhere and holds none."""


def error_kind(error: Exception) -> str:
    """The word with which the library's error begins; not every kind has a class of its own."""
    word = re.match(r"\w+", str(error))
    return word[0] if word else ""


def build_settings(
    trust_anchors: str, *, size_bytes: int = 0, large_file_bytes: int = LARGE_FILE_BYTES
) -> dict[str, Json]:
    """Settings for ``c2pa.Context.from_dict``.

    Args:
        trust_anchors: PEM; empty trusts nobody.
        size_bytes: of a file to be signed; a large video is then hashed in a Merkle tree, and
            work is spooled to the temporary folder.
        large_file_bytes: above this a file is large.
    """
    core: dict[str, Json] = {"allowed_network_hosts": []}
    if size_bytes > large_file_bytes:
        core["merkle_tree_chunk_size_in_kb"] = _MERKLE_CHUNK_KIB
        core["backing_store_memory_threshold_in_mb"] = _MEMORY_THRESHOLD_MIB
    trust: dict[str, Json] = {"trust_config": TRUSTED_PURPOSES}
    if trust_anchors.strip():  # the library refuses an empty text
        trust["trust_anchors"] = trust_anchors
    return {
        "version": 1,
        "core": core,
        "trust": trust,
        "verify": {
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            # What was signed is read back with our own reader, which is stricter.
            "verify_after_sign": False,
        },
        "builder": {
            "thumbnail": {"enabled": False},
            # Else the ingredient that the library makes is not attributed to the signer.
            "created_assertion_labels": ["c2pa.ingredient"],
        },
    }
