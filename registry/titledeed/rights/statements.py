"""Rights statements as a claimant makes them."""

from __future__ import annotations

from titledeed.canonical.attachments import TITLE_LENGTH_MAX
from titledeed.errors import InvalidRequestError
from titledeed.models.primitives import Address
from titledeed.models.rights import SHARES_TOTAL, RightsHolder, RightsStatement


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
    return RightsStatement(title, (RightsHolder(claimant, SHARES_TOTAL, "claimant"),), credits_)
