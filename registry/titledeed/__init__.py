"""Titledeed: a registry for generated media."""

__all__: list[str] = []
