"""Frozen encodings: what is signed, hashed or anchored, byte by byte.

Everything here is pure and has golden vectors in ``tests/conformance``; the contracts share them.
From release 0.1.0 on a format changes only by a new version beside the old one. May import
``models`` and ``errors``.
"""
