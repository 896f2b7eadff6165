"""``titledeed registration``: what is registered here, and acts on it after the anchor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from titledeed.errors import InvalidRequestError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import WorkEvent
from titledeed_cli.confirmation import YesFlag, confirm
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.registrations import (
    write_act,
    write_history,
    write_list,
    write_registration,
)

if TYPE_CHECKING:
    from titledeed.anchoring.recording import RecordedAct
    from titledeed.bootstrap import Registry
    from titledeed.models.primitives import DeedId, RegistrationId

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="registration", help="See registrations and act on them.")

EVENT_WORDS: Final = ", ".join(
    kind for kind in WorkEvent if kind is not WorkEvent.DERIVATIVE_CONFIRMED
)

IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="A registration id, or the beginning of one.", show_default=False
    ),
]
ROUNDING: Final = 1e-6
"""A royalty in percent is a binary fraction; a basis point is far more than it may be off."""

_CHAIN_EXITS: Final = (ExitCode.OK, ExitCode.LEDGER_UNAVAILABLE)


@add_command(group, "list", exits=(ExitCode.OK,))
def list_(
    context: typer.Context,
    status: Annotated[
        ClaimStatus | None, typer.Option(help="Only those that got so far.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show what this home registered, newest first.

    Deeds and withdrawals are shown as far as the chain was followed: no chain is asked.

    Examples:
        titledeed registration list
        titledeed registration list --status pending --json
    """
    invocation = get_invocation(context, as_json=as_json)
    with invocation.registry() as registry:
        found = registry.catalogue.list_newest(registry.owner, limit=limit, status=status)
        listed = [(one, registry.history.list_entries(one, registry.owner)) for one in found]
    write_list(invocation.output, listed)


@add_command(group, exits=_CHAIN_EXITS)
def show(context: typer.Context, registration: IdArgument, as_json: JsonFlag = False) -> None:
    """Show everything about one registration.

    Its entries on chain are shown as far as the chain was followed.

    Examples:
        titledeed registration show td1abc...
    """
    invocation = get_invocation(context, as_json=as_json)
    with invocation.registry() as registry:
        found = registry.catalogue.find(registration, registry.owner)
        write_registration(
            invocation.output,
            found,
            entries=registry.history.list_entries(found, registry.owner),
            bundle_path=registry.registration.bundle_path(found),
            cursor=registry.history.cursor(),
        )


@add_command(group, exits=_CHAIN_EXITS)
def history(context: typer.Context, registration: IdArgument, as_json: JsonFlag = False) -> None:
    """Show what the chain says about one.

    Lists every entry, whether it counts, and why not. Anybody may write about anything. An entry
    counts if the claimant made it, or, once there is a deed, whoever held it.

    Examples:
        titledeed registration history td1abc...
    """
    invocation = get_invocation(context, as_json=as_json)
    with invocation.registry() as registry:
        found = registry.catalogue.find(registration, registry.owner)
        cursor = registry.history.follow()
        found = registry.catalogue.find(found.registration_id, registry.owner)
        entries = registry.history.list_entries(found, registry.owner, others_max=None)
    write_history(invocation.output, found, entries, cursor)


@add_command(group, exits=_CHAIN_EXITS)
def issue(
    context: typer.Context,
    registration: IdArgument,
    *,
    royalty: Annotated[
        float, typer.Option(help="Share of later sales in percent.", min=0, max=100)
    ] = 0.0,
    parent: Annotated[
        list[str] | None,
        typer.Option(
            help="A work that it derives from: a registration id or the number of a deed; "
            "may be repeated.",
            show_default=False,
        ),
    ] = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Issue the deed of a claim.

    A deed is an ERC-721 token that can be sold. It tells everybody the claimant and the SHA-256 of
    the source. From then on whoever holds the deed speaks for the claim. A deed is issued once:
    royalty and parents cannot be changed later.

    Examples:
        titledeed registration issue td1abc...
        titledeed registration issue td1abc... --royalty 5 --parent td1def...
    """
    points = round(royalty * 100)
    if abs(points - royalty * 100) > ROUNDING:
        raise InvalidRequestError(
            f"a royalty of {royalty} % cannot be kept", next_step="Give at most two decimals."
        )

    def act(registry: Registry, found: RegistrationId) -> RecordedAct:
        parents = [_find_work(registry, text) for text in parent or ()]
        return registry.acts.issue(found, principal=registry.owner, royalty=points, parents=parents)

    _act(
        context,
        registration,
        act,
        as_json=as_json,
        question="Issue its deed? Everybody will see claimant and SHA-256. For ever it has "
        f"{_name_terms(points, parent or ())}.",
        yes=yes,
    )


@add_command(group, exits=_CHAIN_EXITS)
def withdraw(
    context: typer.Context,
    registration: IdArgument,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Withdraw a claim, for ever.

    The anchor stands and verification still finds the work; it then says that the claim was
    withdrawn, and when.

    Examples:
        titledeed registration withdraw td1abc...
        titledeed registration withdraw td1abc... --yes --json
    """
    _act(
        context,
        registration,
        lambda registry, found: registry.acts.withdraw(found, principal=registry.owner),
        as_json=as_json,
        question="Withdraw it? This cannot be undone.",
        yes=yes,
    )


@add_command(group, exits=_CHAIN_EXITS)
def supersede(
    context: typer.Context,
    registration: IdArgument,
    successor: Annotated[
        str,
        typer.Argument(
            metavar="SUCCESSOR", help="The registration that takes its place.", show_default=False
        ),
    ],
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Name the registration that replaces one.

    Both stay; verification names the successor.

    Examples:
        titledeed registration supersede td1abc... td1def...
    """

    def act(registry: Registry, found: RegistrationId) -> RecordedAct:
        owner = registry.owner
        named = registry.catalogue.find(successor, owner)
        return registry.acts.supersede(found, named.registration_id, principal=owner)

    _act(
        context,
        registration,
        act,
        as_json=as_json,
        question="Name the successor? This cannot be undone.",
        yes=yes,
    )


@add_command(group, exits=_CHAIN_EXITS)
def event(
    context: typer.Context,
    registration: IdArgument,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help=f"{EVENT_WORDS}, or a word of your own.", show_default=False
        ),
    ],
    document: Annotated[
        Path | None,
        typer.Option(
            help="A file that tells more; only its SHA-256 is recorded.", show_default=False
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Record what happened to a work.

    For example that it was published, distributed, screened or licensed. The same kind with the
    same document is recorded once.

    Examples:
        titledeed registration event td1abc... screened --document programme.pdf
    """
    _act(
        context,
        registration,
        lambda registry, found: registry.acts.record_event(
            found, kind, document, principal=registry.owner
        ),
        as_json=as_json,
    )


@add_command(group, "confirm", exits=_CHAIN_EXITS)
def confirm_(
    context: typer.Context,
    registration: IdArgument,
    child: Annotated[
        str,
        typer.Argument(
            metavar="CHILD",
            help="The derived work: a registration id, or the number of its deed.",
            show_default=False,
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Confirm that a work derives from yours.

    You hold the deed of the parent. Until you confirm it, a deed that names yours as its parent is
    shown as claiming so only.

    Examples:
        titledeed registration confirm td1abc... td1def...
    """
    _act(
        context,
        registration,
        lambda registry, found: registry.acts.confirm_derivative(
            found, _find_work(registry, child), principal=registry.owner
        ),
        as_json=as_json,
    )


@add_command(group, "publish-binding", exits=_CHAIN_EXITS)
def publish_binding(
    context: typer.Context,
    registration: IdArgument,
    endpoint: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="Base address of a Soft Binding Resolution API that knows the manifest.",
            show_default=False,
        ),
    ],
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Let C2PA validators find a work.

    Writes where the fingerprints of a published registration lead to the chain (C2PA 2.4, lookup by
    event log). It stays there.

    Examples:
        titledeed registration publish-binding td1abc... https://registry.example/v1
    """
    _act(
        context,
        registration,
        lambda registry, found: registry.acts.publish_binding(
            found, endpoint, principal=registry.owner
        ),
        as_json=as_json,
        question="Publish its bindings? They stay on chain.",
        yes=yes,
    )


def _act(
    context: typer.Context,
    text: str,
    act: Callable[[Registry, RegistrationId], RecordedAct | tuple[RecordedAct, ...]],
    *,
    as_json: bool,
    question: str | None = None,
    yes: bool = False,
) -> None:
    """Find the registration, ask where it cannot be undone, act, show what the chain holds."""
    invocation = get_invocation(context, as_json=as_json)
    with invocation.registry() as registry:
        found = registry.catalogue.find(text, registry.owner)
    if question is not None:
        confirm(invocation.output, f"{found.registration_id} “{found.title}”: {question}", yes=yes)
    invocation.unlock()
    with invocation.registry() as registry:
        done = act(registry, found.registration_id)
    write_act(invocation.output, found, done if isinstance(done, tuple) else (done,))


def _name_terms(royalty: int, parents: Sequence[str]) -> str:
    """Royalty, in basis points, and parents, as a person named them."""
    share = f"a royalty of {royalty / 100:g} %" if royalty else "no royalty"
    named = f"the parents {', '.join(parents)}" if parents else "no parents"
    return f"{share} and {named}"


def _find_work(registry: Registry, text: str) -> RegistrationId | DeedId:
    """A registration that is known here, or the number of a deed."""
    from titledeed.models.primitives import DeedId

    number = _read_number(text)
    return (
        registry.catalogue.find(text, registry.owner).registration_id
        if number is None
        else DeedId(number)
    )


def _read_number(text: str) -> int | None:
    try:
        number = int(text, 0)
    except ValueError:
        return None
    return number if 0 <= number < 2**256 else None
