"""``titledeed keys``: the accounts of this home."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from titledeed.errors import InvalidRequestError, UnreadableInputError
from titledeed_cli.confirmation import YesFlag, confirm
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import Invocation, JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

if TYPE_CHECKING:
    from titledeed.chain.key_folder import KeyEntry, KeyFolder

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="keys", help="Make, take in, list and declare keys.")

NameOption = Annotated[
    str,
    typer.Option(
        help="claimant signs claims, sender pays, recovery may declare the claimant's key lost; "
        "any other name is a spare."
    ),
]


@add_command(group, exits=(ExitCode.OK,))
def new(context: typer.Context, name: NameOption = "claimant", as_json: JsonFlag = False) -> None:
    """Make a key and write it, encrypted, into the home folder.

    A key is never overwritten. It opens with the home's passphrase, which is generated if there is
    no home yet and none is set. `titledeed init` uses the keys that are there.

    Examples:
        titledeed keys new --name sender
        titledeed keys new --name successor
    """
    invocation = get_invocation(context, as_json=as_json)
    _write_one(invocation, _open_keys(invocation, may_write=True).create(name))


@add_command(group, "import", exits=(ExitCode.OK,))
def import_(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A keystore v3 file, or a private key in hex; - reads it from "
            "standard input, and without FILE a terminal is asked.",
        ),
    ] = "",
    name: NameOption = "claimant",
    file_passphrase: Annotated[
        Path | None,
        typer.Option(
            "--file-passphrase",
            metavar="FILE",
            help="A file with the passphrase of the keystore; else a terminal is asked.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Take in a key from elsewhere.

    It is encrypted anew with the home's passphrase. No key and no passphrase is ever an argument:
    other users of this machine could read it. On a public chain, keys that everybody has are
    refused.

    Examples:
        titledeed keys import wallet.json --name claimant
        titledeed keys import - --name sender < key.txt
    """
    invocation = get_invocation(context, as_json=as_json)
    data = _read_key(file)
    folder = _open_keys(invocation, may_write=True)
    _write_one(invocation, folder.import_key(name, data, lambda: _ask_passphrase(file_passphrase)))


@add_command(group, "list", exits=(ExitCode.OK,))
def list_(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show names, accounts and what each key is for.

    No passphrase is needed.

    Examples:
        titledeed keys list --json
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    entries = _open_keys(invocation).list_all()
    if as_json:
        keys = [_document(entry) for entry in entries]
        output.write_json({"schema_version": SCHEMA_VERSION, "keys": keys})
        return
    output.write_table(
        ("name", "account", "role", "file"),
        [(e.name, e.address, e.role, str(e.path) if e.path else "kept elsewhere") for e in entries],
    )
    if not entries:
        output.note("There are no keys.")


@add_command(
    group,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def declare(
    context: typer.Context,
    *,
    successor: Annotated[
        str, typer.Option(metavar="ACCOUNT", help="The account that takes its place.")
    ] = "",
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Nobody takes its place: it is lost.")
    ] = False,
    since: Annotated[str, typer.Option(metavar="TIME", help="ISO 8601, UTC; by default now.")] = "",
    with_: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="KEY",
            help="Who declares it: the key itself, or recovery, or a keystore file.",
        ),
    ] = "claimant",
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Declare this home's claimant key replaced or lost.

    Every later verification shows it. What was anchored before stands; what the key does afterwards
    does not count. It cannot be taken back.

    Examples:
        titledeed keys declare --successor 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
        titledeed keys declare --compromised --since 2026-11-01 --with recovery
    """
    from titledeed.bootstrap.homes import open_account_keys
    from titledeed.canonical.identifiers import parse_address
    from titledeed.proofs.event_kinds import name_kind

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    if bool(successor) == compromised:
        raise InvalidRequestError(
            "a key is either replaced or lost", next_step="Say --successor or --compromised."
        )
    account = parse_address(successor) if successor else None
    seconds = _parse_time(since) if since else None
    confirm(output, "Declare it for good?", yes=yes)
    invocation.unlock()
    with invocation.registry() as registry:
        by = None if with_ == "claimant" else open_account_keys(invocation.settings, with_)
        recorded = registry.acts.declare_key(
            principal=registry.owner, successor=account, since=seconds, by=by
        )
    event = recorded.event
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": name_kind(event.body),
                "sequence": event.sequence,
                "block_number": event.block_number,
                "transaction": "0x" + event.transaction.hex(),
                "is_new": recorded.is_new,
            }
        )
        return
    how = "declared" if recorded.is_new else "declared before"
    output.write(f"{how}: event {event.sequence} in block {event.block_number}")


def _open_keys(invocation: Invocation, *, may_write: bool = False) -> KeyFolder:
    from titledeed.bootstrap.homes import open_keys

    if may_write:
        invocation.unlock()
    return open_keys(invocation.settings, may_write=may_write)


def _write_one(invocation: Invocation, entry: KeyEntry) -> None:
    output = invocation.output
    if output.as_json:
        output.write_json({"schema_version": SCHEMA_VERSION, **_document(entry)})
        return
    output.write(f"{entry.name}: {entry.address}")
    output.write_indented("role", entry.role)
    output.write_indented("file", str(entry.path))


def _document(entry: KeyEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "address": entry.address,
        "role": entry.role,
        "path": str(entry.path) if entry.path else None,
    }


def _read_key(file: str) -> bytes:
    from titledeed.chain.keys import KEYFILE_LENGTH_MAX

    if not file:
        if not sys.stdin.isatty():
            raise InvalidRequestError(
                "there is no key to take in", next_step="Name a file, or - for standard input."
            )
        return str(typer.prompt("Private key", hide_input=True, err=True)).encode()
    if file == "-":
        return sys.stdin.buffer.read(KEYFILE_LENGTH_MAX + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(KEYFILE_LENGTH_MAX + 1)
    except OSError as error:
        raise UnreadableInputError(
            f"{file} cannot be read: {error.strerror}", next_step="Check the path.", path=Path(file)
        ) from error


def _ask_passphrase(file: Path | None) -> str:
    if file is None:
        if not sys.stdin.isatty():
            raise InvalidRequestError(
                "there is no terminal to ask for the keystore's passphrase on",
                next_step="Name a file that holds it with --file-passphrase.",
            )
        return str(typer.prompt("Passphrase of the keystore", hide_input=True, err=True))
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInputError(
            f"{file} cannot be read", next_step="Check the path.", path=file
        ) from error


def _parse_time(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequestError(
            f"{text!r} is no time", next_step="Write it as 2026-11-21 or 2026-11-21T08:30:00."
        ) from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
