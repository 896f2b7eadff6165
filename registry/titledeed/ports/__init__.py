"""What the services need from outside, in words: each adapter keeps these promises.

``bootstrap`` alone picks adapters. Errors are those of ``titledeed.errors``; foreign exceptions
never cross a port. May import ``models``.
"""

from titledeed.ports.claims import ClaimReader, ClaimReading
from titledeed.ports.credentials import (
    AccountKeyStore,
    KeyStore,
    ManifestDraft,
    ManifestReader,
    ManifestSigner,
    SignedCopy,
    SoftBinding,
)
from titledeed.ports.examiner import Examiner
from titledeed.ports.index import (
    FingerprintIndex,
    FingerprintSource,
    IndexedWork,
    IndexWorks,
)
from titledeed.ports.ledger import (
    Follower,
    Ledger,
    TimestampAuthority,
)
from titledeed.ports.progress import (
    Clock,
    FrameSink,
    Progress,
    SampleSink,
    no_progress,
)
from titledeed.ports.storage import (
    ChainRepository,
    CompletionRepository,
    FingerprintRepository,
    IncompleteBatch,
    JobRepository,
    ObjectStore,
    OutboxRepository,
    RegistrationRepository,
    Repositories,
    SnapshotRepository,
    TokenRepository,
)

__all__ = [
    "AccountKeyStore",
    "ChainRepository",
    "ClaimReader",
    "ClaimReading",
    "Clock",
    "CompletionRepository",
    "Examiner",
    "FingerprintIndex",
    "FingerprintRepository",
    "FingerprintSource",
    "Follower",
    "FrameSink",
    "IncompleteBatch",
    "IndexWorks",
    "IndexedWork",
    "JobRepository",
    "KeyStore",
    "Ledger",
    "ManifestDraft",
    "ManifestReader",
    "ManifestSigner",
    "ObjectStore",
    "OutboxRepository",
    "Progress",
    "RegistrationRepository",
    "Repositories",
    "SampleSink",
    "SignedCopy",
    "SnapshotRepository",
    "SoftBinding",
    "TimestampAuthority",
    "TokenRepository",
    "no_progress",
]
