"""Limits on media, checked before memory is spent."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.errors import MediaTooLargeError


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What is decoded at most.

    Attributes:
        size_bytes_max: length of the file.
        pixels_max: of one frame, width times height.
        duration_s_max: seconds of picture or sound.
    """

    size_bytes_max: int
    pixels_max: int
    duration_s_max: float

    def check_size(self, size_bytes: int) -> None:
        """Refuse too long a file.

        Raises:
            MediaTooLargeError: it is longer than ``size_bytes_max``.
        """
        if size_bytes > self.size_bytes_max:
            raise MediaTooLargeError(
                f"the file has {size_bytes:,} bytes, more than {self.size_bytes_max:,}",
                next_step="Make the file smaller, or raise media.size_bytes_max in the settings.",
                limit=self.size_bytes_max,
                size=size_bytes,
                setting="media.size_bytes_max",
            )

    def check_picture(self, width: int, height: int) -> None:
        """Refuse too large a picture.

        Raises:
            MediaTooLargeError: it has more than ``pixels_max`` pixels.
        """
        if width * height > self.pixels_max:
            raise MediaTooLargeError(
                f"a picture of {width:,} x {height:,} pixels is more than {self.pixels_max:,}",
                next_step="Scale the picture down, or raise media.pixels_max in the settings.",
                limit=self.pixels_max,
                size=width * height,
                setting="media.pixels_max",
            )

    def check_duration(self, duration_s: float) -> None:
        """Refuse too long a clip or sound.

        Raises:
            MediaTooLargeError: it lasts longer than ``duration_s_max``.
        """
        if duration_s > self.duration_s_max:
            raise MediaTooLargeError(
                f"it lasts longer than {self.duration_s_max:,} s",
                next_step="Split the file, or raise media.duration_s_max in the settings.",
                limit=int(self.duration_s_max),
                setting="media.duration_s_max",
            )
