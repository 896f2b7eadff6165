"""What the tests of proofs share."""

from __future__ import annotations

import canonical_samples
import pytest
from evidence_builders import with_timestamps
from timestamp_builders import OpensslAuthority

from titledeed.models.bundle import Bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """With everything that a bundle can carry."""
    return with_timestamps(
        OpensslAuthority(tmp_path_factory.mktemp("authority")), canonical_samples.sample_bundle()
    )
