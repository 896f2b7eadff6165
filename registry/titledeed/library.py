"""Titledeed in three calls, for programs; ``Registry`` has the rest."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from titledeed.bootstrap import index_works, make_examiner, open_registry
from titledeed.models.evidence import VerificationReport
from titledeed.proofs.bundles import BundleReport
from titledeed.services.comparison import Comparison
from titledeed.services.comparison import compare as compare_files
from titledeed.services.evidence import check_bundle_file
from titledeed.settings import Settings

AnyPath = str | PathLike[str]


def verify(file: AnyPath, *, home: AnyPath | None = None) -> VerificationReport:
    """Tell what is known about a file, a copy, or a clip cut out. Changes nothing.

    Args:
        file: the file to ask about.
        home: whose registrations are searched; None for the one that the environment names.

    Raises:
        HomeNotInitializedError: there is no such home.
        InputError: the file is unreadable, unsupported, malformed or too large.
        LedgerUnavailableError: a claim is on the home's chain, which does not answer.
    """
    settings = Settings() if home is None else Settings(home=Path(home))
    with open_registry(settings) as registry:
        return registry.verification.verify(Path(file), registry.owner)


def compare(first: AnyPath, second: AnyPath) -> Comparison:
    """Tell which seconds of one file are which seconds of another. Needs no home.

    Raises:
        InputError: a file is unreadable, unsupported, malformed or too large.
    """
    return compare_files(make_examiner(Settings()), index_works, Path(first), Path(second))


def check_bundle(file: AnyPath, *, asset: AnyPath | None = None) -> BundleReport:
    """Check an evidence bundle without network, database or key.

    Args:
        file: the bundle.
        asset: the registered file or its signed copy, to be compared as well.

    Raises:
        UnreadableInputError: a file cannot be read.
        MalformedDocumentError: it is no evidence bundle.
    """
    return check_bundle_file(Path(file), None if asset is None else Path(asset))
