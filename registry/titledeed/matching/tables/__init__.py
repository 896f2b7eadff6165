"""Look-up tables: files of immutable segments, how they are laid out, merged and searched.

Belongs here what finds rows among those of all works, without knowing what they stand for. May
import the arrays of ``fingerprinting.base``; nothing else of ``matching``.
"""
