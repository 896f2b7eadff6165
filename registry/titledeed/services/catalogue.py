"""Finding registrations by what a person types, and listing this home's own."""

from __future__ import annotations

from collections import deque
from typing import Final

from titledeed.errors import InvalidRequestError, NotFoundError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.primitives import RegistrationId
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration
from titledeed.services.visibility import VisibleRegistrations

PREFIX: Final = "td1"
PREFIX_LENGTH_MIN: Final = 6
NAMED_MAX: Final = 3


class Catalogue:
    """This home's registrations, as a list.

    Args:
        visible: own and imported.
        prefix_length_min: fewer characters of an id are refused.
    """

    def __init__(
        self, *, visible: VisibleRegistrations, prefix_length_min: int = PREFIX_LENGTH_MIN
    ) -> None:
        self._visible = visible
        self._prefix_length_min = prefix_length_min

    def find(self, text: str, principal: Principal) -> Registration:
        """A registration by its id, or an own one by the first characters of its id.

        Raises:
            NotFoundError: there is none.
            InvalidRequestError: too few characters, or several registrations begin so.
        """
        found = self._visible.find(RegistrationId(text), principal)
        if found is not None:
            return found
        if not text.startswith(PREFIX) or len(text) < self._prefix_length_min:
            more = self._prefix_length_min - len(PREFIX)
            raise InvalidRequestError(
                f"{text[:60]!r} is neither a registration id nor the beginning of one",
                next_step=f"Give {PREFIX} and at least {more} more characters; "
                "`titledeed registration list` shows the ids.",
            )
        alike = [
            one for one in self._visible.iter_own(principal) if one.registration_id.startswith(text)
        ]
        if not alike:
            raise NotFoundError(
                f"there is no registration {text[:60]} here",
                next_step="`titledeed registration list` shows what this home registered.",
                what="registration",
                name=text[:60],
            )
        if len(alike) > 1:
            named = ", ".join(one.registration_id for one in alike[:NAMED_MAX])
            raise InvalidRequestError(
                f"{len(alike)} registrations begin with {text}: {named}",
                next_step="Give more characters.",
            )
        return alike[0]

    def list_newest(
        self, principal: Principal, *, limit: int, status: ClaimStatus | None = None
    ) -> list[Registration]:
        """The own registrations that were accepted last, newest first."""
        wanted = (
            one
            for one in self._visible.iter_own(principal)
            if status is None or one.status is status
        )
        return list(reversed(deque(wanted, maxlen=limit)))
