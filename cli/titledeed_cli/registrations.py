"""How registrations look on the terminal; shared by the commands that show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed_cli.output import SCHEMA_VERSION, Output

if TYPE_CHECKING:
    from titledeed.anchoring.recording import RecordedAct
    from titledeed.models.evidence import ClaimEntry
    from titledeed.models.ledger import Cursor
    from titledeed.models.registration import Registration
    from titledeed.services.registration import RefusedFile, RegisteredFile, SimilarWork

WHO_PAYS: Final = "The sender paid the gas; the claimant needs no ether."

ENTRY_HEADINGS: Final = ("entry", "when", "what", "counts", "by", "detail")


def write_registered(output: Output, registered: RegisteredFile, chain: ChainIdentity) -> None:
    """One file that is registered now, or was before."""
    from titledeed_api.documents import registered_document

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
    from titledeed_api.documents import refused_document

    output.report_problem(f"{refused.source}: {refused.error.message}", refused.error.next_step)
    if output.as_json:
        output.write_json(refused_document(refused))


def write_list(output: Output, listed: Sequence[tuple[Registration, Sequence[ClaimEntry]]]) -> None:
    """Registrations, one a row."""
    from titledeed.proofs.times import format_time
    from titledeed_api.documents import entries_document, registration_document

    if output.as_json:
        registrations = [
            {**registration_document(one), "entries": entries_document(entries)}
            for one, entries in listed
        ]
        output.write_json({"schema_version": SCHEMA_VERSION, "registrations": registrations})
        return
    output.write_table(
        ("registration", "title", "status", "visibility", "claimed", "anchored", "since"),
        [
            (
                one.registration_id,
                one.title,
                one.status.value,
                one.visibility.value,
                format_time(one.claimed_at),
                f"block {one.anchor.block_number}" if one.anchor else "not yet",
                _sum_up(entries),
            )
            for one, entries in listed
        ],
    )
    if not listed:
        output.note("Nothing is registered here.")


def write_registration(
    output: Output,
    registration: Registration,
    *,
    entries: Sequence[ClaimEntry],
    bundle_path: str | None,
    cursor: Cursor | None,
) -> None:
    """Everything about one registration."""
    from titledeed.proofs.times import format_time
    from titledeed_api.documents import entries_document, registration_document

    if output.as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                **registration_document(registration),
                "snapshot_id": registration.snapshot_id,
                "manifest_id": registration.manifest_id,
                "bundle_path": bundle_path,
                "entries": entries_document(entries),
                "followed_to_block": cursor.block.number if cursor else None,
            }
        )
        return
    anchor = registration.anchor
    output.write(f"{registration.registration_id}  {registration.title}", style="bold")
    rows = {
        "status": f"{registration.status}, {registration.visibility}",
        "claimant": registration.claimant,
        "claimed": f"{format_time(registration.claimed_at)} by the claimant's own clock",
        "made how": registration.source_type,
        "source": f"SHA-256 {registration.content_digest.hex()}",
        "manifest": registration.manifest_id or "none: this type carries no credentials",
        "signed": registration.signed_path or "no signed copy here",
        "from": f"snapshot {registration.snapshot_id}" if registration.snapshot_id else "",
        "anchored": f"{format_time(anchor.block_timestamp)} in block {anchor.block_number} of "
        f"chain {registration.domain.chain_id}"
        if anchor
        else f"not yet: `titledeed receipt {registration.registration_id}` waits for it",
        "evidence": bundle_path or "",
    }
    for name, value in rows.items():
        if value:
            output.write_indented(name, value)
    write_entries(output, entries)
    _note_cursor(output, cursor)


def write_history(
    output: Output, registration: Registration, entries: Sequence[ClaimEntry], cursor: Cursor | None
) -> None:
    """All that the chain says about one registration, in order."""
    from titledeed_api.documents import entries_document

    if output.as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "registration_id": registration.registration_id,
                "title": registration.title,
                "entries": entries_document(entries),
                "followed_to_block": cursor.block.number if cursor else None,
            }
        )
        return
    output.write(f"{registration.registration_id}  {registration.title}", style="bold")
    write_entries(output, entries)
    if not entries:
        output.write("Nothing was said about it since it was anchored.")
    _note_cursor(output, cursor)


def write_entries(output: Output, entries: Iterable[ClaimEntry]) -> None:
    """Entries on chain as a table; nothing where there are none."""
    output.write_table(
        ENTRY_HEADINGS, map(entry_row, entries), title="What the chain says about it"
    )


def entry_row(entry: ClaimEntry) -> tuple[str, ...]:
    """One entry on chain under ``ENTRY_HEADINGS``."""
    from titledeed.proofs.times import format_time

    counts = "yes" if entry.counts else "no"
    when = format_time(entry.at)
    return (str(entry.sequence), when, entry.kind, counts, entry.actor, entry.detail)


def write_act(output: Output, registration: Registration, done: Iterable[RecordedAct]) -> None:
    """What was recorded about one registration, or was before."""
    from titledeed.proofs.event_kinds import name_kind
    from titledeed.proofs.times import format_time
    from titledeed_api.documents import act_document

    if output.as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "registration_id": registration.registration_id,
                "acts": [act_document(one) for one in done],
            }
        )
        return
    for one in done:
        event = one.event
        how = "recorded" if one.is_new else "on record already"
        output.write(
            f"{how}: {name_kind(event.body)}  {registration.registration_id}  {registration.title}",
            style="bold",
        )
        output.write_indented(
            "chain",
            f"entry {event.sequence} in block {event.block_number}, "
            f"{format_time(event.block_timestamp)}",
        )
        if one.is_new:
            output.note(WHO_PAYS)


def _sum_up(entries: Iterable[ClaimEntry]) -> str:
    """The kinds that count, each once."""
    return ", ".join(dict.fromkeys(entry.kind for entry in entries if entry.counts))


def _note_cursor(output: Output, cursor: Cursor | None) -> None:
    if cursor is None:
        output.note("The chain was not followed yet: `titledeed registration history` asks it.")
    else:
        output.note(f"As of block {cursor.block.number}.")


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
