"""Every deliberate error of the core.

::

    TitledeedError                    code · message · next_step · retryable · data
    ├─ InputError                     the input is at fault; trying again changes nothing
    │  ├─ UnreadableInputError        the path cannot be opened, or vanished while read
    │  ├─ UnsupportedMediaTypeError   the bytes are no media type that we read
    │  ├─ MalformedMediaError         the container or its streams are broken or truncated
    │  ├─ MediaTooLargeError          a size, pixel, time or memory limit was reached
    │  ├─ MalformedDocumentError      a disclosure, timeline, bundle, snapshot … does not parse
    │  └─ InvalidRequestError         arguments that cannot go together
    ├─ NotFoundError
    ├─ ConflictError
    ├─ NotAuthorizedError
    ├─ VerificationError              evidence was readable and does not hold
    │  ├─ ClaimSignatureError
    │  └─ ProofError
    ├─ DependencyError                something outside is missing or down; retryable
    │  ├─ LedgerUnavailableError
    │  └─ ToolMissingError            a program that must be installed (anvil, a compiler)
    ├─ LedgerError
    │  ├─ ChainMismatchError          another chain, genesis or contract than the pinned one
    │  └─ TransactionRevertedError
    ├─ StorageError                   disk full, read-only, damaged
    ├─ SigningError                   credentials could not be made
    └─ ConfigurationError
       ├─ HomeNotInitializedError
       └─ PassphraseError
    InvariantViolation(AssertionError)   a bug of ours: never caught, never mapped

What an error is about stands in attributes, so that no caller reads it out of the message; each
class names its own, all may be None, and ``data`` gives those that are known.

The core knows neither HTTP statuses nor exit codes: each face has one total table, and a test
fails when a class is missing from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar

Datum = str | int
"""A value of ``TitledeedError.data``; fits JSON."""


@dataclass(eq=False, repr=False)
class TitledeedError(Exception):
    """Base of all errors that a caller may handle.

    Attributes:
        code: stable machine-readable word, one per class.
        retryable: whether the same call may succeed later.
        message: what failed and on which object, one line.
        next_step: what the person can do about it, one line; may be empty.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    message: str
    next_step: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """Let Python itself show the message, however it was handed in."""
        super().__init__(self.message)

    @classmethod
    def data_names(cls) -> tuple[str, ...]:
        """The attributes in which errors of this class carry their data."""
        names = (attribute.name for attribute in fields(cls))
        return tuple(name for name in names if name not in ("message", "next_step"))

    @property
    def data(self) -> Mapping[str, Datum]:
        """What the error is about: the attributes that are known, as values for JSON."""
        values = ((name, getattr(self, name)) for name in self.data_names())
        return {
            name: value if isinstance(value, int) else str(value)
            for name, value in values
            if value is not None
        }


@dataclass(eq=False, repr=False, kw_only=True)
class InputError(TitledeedError):
    """The input is at fault.

    Attributes:
        path: the file or folder that is at fault.
    """

    code = "input"

    path: Path | None = None


class UnreadableInputError(InputError):
    """A path cannot be opened or vanished while it was read."""

    code = "unreadable_input"


class UnsupportedMediaTypeError(InputError):
    """The bytes are of no media type that Titledeed reads."""

    code = "unsupported_media_type"


@dataclass(eq=False, repr=False, kw_only=True)
class MalformedMediaError(InputError):
    """The media are empty, truncated or broken.

    Attributes:
        media_type: what the bytes begin as.
    """

    code = "malformed_media"

    media_type: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class MediaTooLargeError(InputError):
    """A limit on size, pixels, time or memory was reached.

    Attributes:
        limit: what is allowed at most, in the setting's unit.
        size: what was found; None where reading stopped at the limit.
        setting: which limit, as ``media.pixels_max``.
    """

    code = "media_too_large"

    limit: int | None = None
    size: int | None = None
    setting: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class MalformedDocumentError(InputError):
    """A document (disclosure, timeline, rule pack, bundle, snapshot) does not parse.

    Attributes:
        place: the document and the place in it, as ``the disclosure: uses[2].time``.
    """

    code = "malformed_document"

    place: str | None = None


class InvalidRequestError(InputError):
    """Arguments that cannot go together."""

    code = "invalid_request"


@dataclass(eq=False, repr=False, kw_only=True)
class NotFoundError(TitledeedError):
    """No such registration, report or file.

    Attributes:
        what: the kind of thing, as ``registration`` or ``rule_pack``.
        name: how it was asked for.
        registration_id: the registration that was asked for, or whose part it is.
    """

    code = "not_found"

    what: str | None = None
    name: str | None = None
    registration_id: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class ConflictError(TitledeedError):
    """The request contradicts what is stored.

    Attributes:
        path: what exists already.
        registration_id: the registration that stands against it.
    """

    code = "conflict"

    path: Path | None = None
    registration_id: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class NotAuthorizedError(TitledeedError):
    """The caller showed no token, or a wrong one.

    Attributes:
        registration_id: the registration for which the caller does not speak.
    """

    code = "not_authorized"

    registration_id: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class VerificationError(TitledeedError):
    """Evidence was readable and does not hold.

    Attributes:
        check: which check of a bundle failed, as ``bundle verify`` names it.
        registration_id: of the bundle.
    """

    code = "verification"

    check: str | None = None
    registration_id: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class ClaimSignatureError(VerificationError):
    """The claimant's signature over the Claim does not fit.

    Attributes:
        claimant: whom the claim names.
        signer: who signed it; None where nobody can be told.
    """

    code = "claim_signature"

    claimant: str | None = None
    signer: str | None = None


class ProofError(VerificationError):
    """A digest, leaf, Merkle path or anchor does not fit."""

    code = "proof"


class DependencyError(TitledeedError):
    """Something outside is missing or down."""

    code = "dependency"
    retryable = True


@dataclass(eq=False, repr=False, kw_only=True)
class LedgerUnavailableError(DependencyError):
    """The chain does not answer.

    Attributes:
        endpoint: host and port of the node; never its access key.
        transaction: hash of the one that no block holds yet.
    """

    code = "ledger_unavailable"

    endpoint: str | None = None
    transaction: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class ToolMissingError(DependencyError):
    """A program is not installed.

    Attributes:
        tool: its name.
    """

    code = "tool_missing"
    retryable = False

    tool: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class LedgerError(TitledeedError):
    """The chain answered with something that must not be.

    Attributes:
        block: number of the block that was asked about.
        transaction: hash of the transaction that was asked about.
    """

    code = "ledger"

    block: int | None = None
    transaction: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class ChainMismatchError(LedgerError):
    """Chain id, genesis hash or contract differ from what this home has pinned.

    Attributes:
        chain_id: of the chain that this home has pinned.
        what: what differs, as ``chain id``.
        expected: what this home has pinned.
        found: what the node shows.
    """

    code = "chain_mismatch"

    chain_id: int | None = None
    what: str | None = None
    expected: Datum | None = None
    found: Datum | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class TransactionRevertedError(LedgerError):
    """The contract refused a transaction.

    Attributes:
        reason: the contract's own name for it, or the node's words.
    """

    code = "transaction_reverted"

    reason: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class StorageError(TitledeedError):
    """The disk is full, read-only or damaged.

    Attributes:
        path: the file or folder.
    """

    code = "storage"

    path: Path | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class SigningError(TitledeedError):
    """Content Credentials could not be made.

    Attributes:
        path: the file that could not be signed or written.
    """

    code = "signing"

    path: Path | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class ConfigurationError(TitledeedError):
    """Settings or home folder are wrong.

    Attributes:
        setting: the environment variable, as ``TITLEDEED_CHAIN__RPC_URL``.
        path: the file or folder of the home.
    """

    code = "configuration"

    setting: str | None = None
    path: Path | None = None


class HomeNotInitializedError(ConfigurationError):
    """The home folder was never initialised."""

    code = "home_not_initialized"


class PassphraseError(ConfigurationError):
    """The passphrase is missing or does not open a key."""

    code = "passphrase"


class InvariantViolation(AssertionError):  # noqa: N818 - a bug, not an error to handle
    """A state that the code promises never to reach."""
