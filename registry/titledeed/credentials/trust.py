"""Trust anchors: the certificates to which a signer or time-stamp must lead to count as trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from titledeed.errors import ConfigurationError

LIST_LENGTH_MAX: Final = 4 * 1024 * 1024
"""Bytes of one list; the official ones have under 100 KiB."""


def load_trust_anchors(folder: Path, extra: str = "") -> str:
    """Put together all ``*.pem`` files of a folder.

    Args:
        folder: may be missing; then there are only the extra anchors.
        extra: PEM of further anchors, for example this home's own root.

    Returns:
        PEM certificates only: comments and keys are left out.

    Raises:
        ConfigurationError: a file cannot be read or holds no certificates; names the file.
    """
    anchors = [extra.strip()] if extra.strip() else []
    anchors += [_load_list(path) for path in sorted(folder.glob("*.pem"))]
    return "\n".join(anchors)


def _load_list(path: Path) -> str:
    problem = "it is too long"
    try:
        with path.open("rb") as file:
            data = file.read(LIST_LENGTH_MAX + 1)
        certificates = x509.load_pem_x509_certificates(data) if len(data) <= LIST_LENGTH_MAX else []
    except (OSError, ValueError) as error:
        certificates, problem = [], str(error)
    if not certificates:
        raise ConfigurationError(
            f"the trust list {path} holds no readable PEM certificates: {problem}"[:500],
            next_step="Correct the file, or move it out of the trust folder.",
            path=path,
        )
    return "".join(
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
        for certificate in certificates
    )
