"""Checking evidence bundles with all that this release knows: no database, key or network."""

from __future__ import annotations

from pathlib import Path

from titledeed.errors import UnreadableInputError
from titledeed.fingerprinting.algorithms import find_algorithm
from titledeed.media.digests import digest_file
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import TimestampStatement
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import Sha256
from titledeed.proofs.bundles import (
    BUNDLE_LENGTH_MAX,
    BundleChecker,
    BundleReport,
    read_bundle_file,
)


def check_bundle(
    bundle: Bundle, asset_digest: Sha256 | None = None, *, trust_anchors: str = ""
) -> BundleReport:
    """See ``BundleChecker.check``."""
    return CHECKER.check(bundle, asset_digest, trust_anchors=trust_anchors)


def check_bundle_file(path: Path, asset: Path | None = None) -> BundleReport:
    """Read an evidence bundle and run every offline check.

    Args:
        path: the bundle, at most ``BUNDLE_LENGTH_MAX`` bytes.
        asset: the registered file or its signed copy, to be compared as well.

    Raises:
        UnreadableInputError: a file cannot be read, or is larger than any bundle.
        MalformedDocumentError: it is no evidence bundle.
    """
    bundle = read_bundle_file(_read(path))
    return check_bundle(bundle, digest_file(asset) if asset else None)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(BUNDLE_LENGTH_MAX + 1)
    except OSError as error:
        raise UnreadableInputError(
            f"{path} cannot be read: {error.strerror}", next_step="Check the path.", path=path
        ) from error
    if len(data) > BUNDLE_LENGTH_MAX:
        raise UnreadableInputError(
            f"{path} is larger than any evidence bundle", next_step="Check the path.", path=path
        )
    return data


def require_bundle(bundle: Bundle) -> None:
    """See ``BundleChecker.require``."""
    CHECKER.require(bundle)


def _check_code(code: FingerprintCode) -> None:
    algorithm = find_algorithm(code.algorithm, code.version)
    if algorithm is not None:  # another release may know more algorithms
        algorithm.decode(code.code)


def _check_token(token: bytes, digest: Sha256, *, anchors_pem: str) -> TimestampStatement:
    # Its library takes as long to import as a whole command should take to start.
    from titledeed.credentials.timestamps import check_token

    return check_token(token, digest, anchors_pem=anchors_pem)


CHECKER = BundleChecker(check_code=_check_code, check_token=_check_token)
