"""Rights statements as a claimant makes them."""

from __future__ import annotations

from titledeed.canonical.documents import TERM_LENGTH_MAX
from titledeed.canonical.rights import TITLE_LENGTH_MAX
from titledeed.errors import InvalidRequestError
from titledeed.models.primitives import Address
from titledeed.models.rights import (
    SHARES_TOTAL,
    Contributor,
    RightsHolder,
    RightsStatement,
    Title,
)


def state_sole_rights(
    title: str, claimant: Address, credits_: tuple[str, ...] = ()
) -> RightsStatement:
    """The statement of a claimant who names no other holder.

    Raises:
        InvalidRequestError: the title is empty or too long.
    """
    if not title.strip() or len(title) > TITLE_LENGTH_MAX:
        raise InvalidRequestError(
            f"a title has 1 to {TITLE_LENGTH_MAX} characters",
            next_step="Choose another with --title.",
        )
    return RightsStatement(
        titles=(Title(title),),
        holders=(RightsHolder(claimant, SHARES_TOTAL, "claimant"),),
        contributors=tuple(map(_read_credit, credits_)),
    )


def _read_credit(line: str) -> Contributor:
    """``Prompts: A. Name`` as role and name; a line without a role as it is."""
    role, colon, name = (part.strip() for part in line.partition(":"))
    is_role = colon and name and 0 < len(role) <= TERM_LENGTH_MAX
    return Contributor(name, role) if is_role else Contributor(line.strip())
