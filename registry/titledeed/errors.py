"""Every deliberate error of the core.

::

    TitledeedError                    code · message · next_step · retryable
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

The core knows neither HTTP statuses nor exit codes: each face has one total table, and a test
fails when a class is missing from it.
"""

from __future__ import annotations

from typing import ClassVar


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

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class InputError(TitledeedError):
    """The input is at fault."""

    code = "input"


class UnreadableInputError(InputError):
    """A path cannot be opened or vanished while it was read."""

    code = "unreadable_input"


class UnsupportedMediaTypeError(InputError):
    """The bytes are of no media type that Titledeed reads."""

    code = "unsupported_media_type"


class MalformedMediaError(InputError):
    """The media are empty, truncated or broken."""

    code = "malformed_media"


class MediaTooLargeError(InputError):
    """A limit on size, pixels, time or memory was reached."""

    code = "media_too_large"


class MalformedDocumentError(InputError):
    """A document (disclosure, timeline, rule pack, bundle, snapshot) does not parse."""

    code = "malformed_document"


class InvalidRequestError(InputError):
    """Arguments that cannot go together."""

    code = "invalid_request"


class NotFoundError(TitledeedError):
    """No such registration, report or file."""

    code = "not_found"


class ConflictError(TitledeedError):
    """The request contradicts what is stored."""

    code = "conflict"


class NotAuthorizedError(TitledeedError):
    """The caller showed no token, or a wrong one."""

    code = "not_authorized"


class VerificationError(TitledeedError):
    """Evidence was readable and does not hold."""

    code = "verification"


class ClaimSignatureError(VerificationError):
    """The claimant's signature over the Claim does not fit."""

    code = "claim_signature"


class ProofError(VerificationError):
    """A digest, leaf, Merkle path or anchor does not fit."""

    code = "proof"


class DependencyError(TitledeedError):
    """Something outside is missing or down."""

    code = "dependency"
    retryable = True


class LedgerUnavailableError(DependencyError):
    """The chain does not answer."""

    code = "ledger_unavailable"


class ToolMissingError(DependencyError):
    """A program is not installed."""

    code = "tool_missing"
    retryable = False


class LedgerError(TitledeedError):
    """The chain answered with something that must not be."""

    code = "ledger"


class ChainMismatchError(LedgerError):
    """Chain id, genesis hash or contract differ from what this home has pinned."""

    code = "chain_mismatch"


class TransactionRevertedError(LedgerError):
    """The contract refused a transaction."""

    code = "transaction_reverted"


class StorageError(TitledeedError):
    """The disk is full, read-only or damaged."""

    code = "storage"


class SigningError(TitledeedError):
    """Content Credentials could not be made."""

    code = "signing"


class ConfigurationError(TitledeedError):
    """Settings or home folder are wrong."""

    code = "configuration"


class HomeNotInitializedError(ConfigurationError):
    """The home folder was never initialised."""

    code = "home_not_initialized"


class PassphraseError(ConfigurationError):
    """The passphrase is missing or does not open a key."""

    code = "passphrase"


class InvariantViolation(AssertionError):  # noqa: N818 - a bug, not an error to handle
    """A state that the code promises never to reach."""
