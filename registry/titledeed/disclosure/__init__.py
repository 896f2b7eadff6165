"""The disclosure document of a film."""

from titledeed.disclosure.film import parse_film_disclosure

__all__ = ["parse_film_disclosure"]
