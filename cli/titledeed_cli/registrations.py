"""How registrations look on the terminal; shared by the commands that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed_cli.output import Output

if TYPE_CHECKING:
    from titledeed.services.registration import RefusedFile, RegisteredFile, SimilarWork


def write_registered(output: Output, registered: RegisteredFile, chain: ChainIdentity) -> None:
    """One file that is registered now, or was before."""
    from titledeed.services.documents import registered_document

    if output.as_json:
        output.write_json(registered_document(registered))
        return
    registration = registered.registration
    how = "registered" if registered.created else "known already"
    name = registered.source or registration.title
    output.write(f"{how}: {registration.registration_id}  {name}", style="bold")
    output.write_indented("title", f"{registration.title} ({registration.visibility})")
    output.write_indented(
        "signed", registration.signed_path or "registry only: this type carries no credentials"
    )
    output.write_indented("chain", _describe_chain(registered, chain))
    output.write_indented(
        "evidence",
        registered.bundle_path
        or f"not yet: `titledeed receipt {registration.registration_id}` completes it",
    )
    for similar in registered.similar:
        output.write_indented("similar", _describe_similar(similar))
    for note in registered.notes:
        output.write_indented("note", note)


def write_refused(output: Output, refused: RefusedFile) -> None:
    """One file that was not registered, and why."""
    from titledeed.services.documents import refused_document

    output.report_problem(f"{refused.source}: {refused.error.message}", refused.error.next_step)
    if output.as_json:
        output.write_json(refused_document(refused))


def _describe_chain(registered: RegisteredFile, chain: ChainIdentity) -> str:
    anchor = registered.registration.anchor
    if anchor is None:
        return f"accepted, waits for a block of chain {chain.chain_id}"
    where = f"block {anchor.block_number} of chain {chain.chain_id}"
    if chain.kind is ChainKind.DEVELOPMENT:
        return f"{where}, kept by this home itself: its time proves order inside this home only"
    return where


def _describe_similar(similar: SimilarWork) -> str:
    registration = similar.registration
    score = f"score {similar.match.score:.2f}" if similar.match else "the same bytes"
    whose = "mine" if similar.mine else f"claimed by {registration.claimant}"
    return f"“{registration.title}” {registration.registration_id}, {score} ({whose})"
