"""Frozen values and vocabularies: what all rooms talk in.

Belongs here whatever two rooms hand to each other. Standard library only: no I/O, no clock, no
encoding. May import ``errors``.
"""
