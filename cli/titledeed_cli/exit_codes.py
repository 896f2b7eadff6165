"""The one table of exit codes, stable from release 0.1.0 on.

New codes may be added: a script must treat a code that it does not know as "not verified".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from titledeed import errors
from titledeed.errors import TitledeedError
from titledeed.models.evidence import Headline
from titledeed.models.finding import Outcome


class ExitCode(IntEnum):
    """How the process ended; ``meaning`` is what the help and the reference say."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """Keep the meaning beside the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "it is done, or a registration was found"
    ERROR = 1, "an error; one line on standard error says what to do next"
    USAGE = 2, "the command line is wrong, or its arguments cannot go together"
    NO_RECORD = 10, "nothing registered matches; this is no evidence either way"
    NO_CREDENTIALS = 11, "reserved: the file carries no credentials"
    INVALID = 12, "credentials or evidence were read and do not hold"
    UNTRUSTED_SIGNER = 13, "reserved: the signer is on no trust list"
    CONFLICT = 14, "the file's own credentials name another claimant than the earliest"
    QUESTIONS_OPEN = 15, "the audit leaves questions open"
    INCONSISTENT = 16, "the audit found contradictions, or a conflict with a rule"
    CANNOT_ASSESS = 17, "the audit could not assess the submission"
    LEDGER_UNAVAILABLE = 20, "the chain is needed and does not answer; try again later"
    INTERRUPTED = 130, "interrupted"


HEADLINE_CODES: Final[Mapping[Headline, ExitCode]] = {
    Headline.REGISTERED_EXACT: ExitCode.OK,
    Headline.REGISTERED_MATCH: ExitCode.OK,
    Headline.SIGNED_NOT_REGISTERED: ExitCode.NO_RECORD,
    Headline.NO_RECORD: ExitCode.NO_RECORD,
    Headline.INVALID: ExitCode.INVALID,
    Headline.CONFLICT: ExitCode.CONFLICT,
}

OUTCOME_CODES: Final[Mapping[Outcome, ExitCode]] = {
    Outcome.COMPLETE: ExitCode.OK,
    Outcome.QUESTIONS_OPEN: ExitCode.QUESTIONS_OPEN,
    Outcome.INCONSISTENT: ExitCode.INCONSISTENT,
    Outcome.RULE_CONFLICT: ExitCode.INCONSISTENT,
    Outcome.CANNOT_ASSESS: ExitCode.CANNOT_ASSESS,
}

ERROR_CODES: Final[Mapping[type[TitledeedError], ExitCode]] = {
    errors.TitledeedError: ExitCode.ERROR,
    errors.InputError: ExitCode.ERROR,
    errors.UnreadableInputError: ExitCode.ERROR,
    errors.UnsupportedMediaTypeError: ExitCode.ERROR,
    errors.MalformedMediaError: ExitCode.ERROR,
    errors.MediaTooLargeError: ExitCode.ERROR,
    errors.MalformedDocumentError: ExitCode.ERROR,
    errors.InvalidRequestError: ExitCode.USAGE,
    errors.NotFoundError: ExitCode.ERROR,
    errors.ConflictError: ExitCode.ERROR,
    errors.NotAuthorizedError: ExitCode.ERROR,
    errors.VerificationError: ExitCode.INVALID,
    errors.ClaimSignatureError: ExitCode.INVALID,
    errors.ProofError: ExitCode.INVALID,
    errors.DependencyError: ExitCode.ERROR,
    errors.LedgerUnavailableError: ExitCode.LEDGER_UNAVAILABLE,
    errors.ToolMissingError: ExitCode.ERROR,
    errors.LedgerError: ExitCode.ERROR,
    errors.ChainMismatchError: ExitCode.ERROR,
    errors.TransactionRevertedError: ExitCode.ERROR,
    errors.StorageError: ExitCode.ERROR,
    errors.SigningError: ExitCode.ERROR,
    errors.ConfigurationError: ExitCode.ERROR,
    errors.HomeNotInitializedError: ExitCode.ERROR,
    errors.PassphraseError: ExitCode.ERROR,
}


def describe_exits(*codes: ExitCode) -> str:
    """The exit codes of one command, as the last part of its help.

    Errors, wrong usage and interruption can end every command and are added.
    """
    every = {*codes, ExitCode.ERROR, ExitCode.USAGE, ExitCode.INTERRUPTED}
    lines = [f"  {code.value:<4} {code.meaning}" for code in sorted(every)]
    return "\n".join(["Exit codes:", *lines])
