"""Frozen values and vocabularies. Standard library only; no I/O, no clock, no encoding."""
