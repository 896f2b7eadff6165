"""Whole homes: found, back up, restore, rebuild, salvage, erase, diagnose; where things lie.

Belongs here what concerns a home that may not be open, or not be whole. May import ``anchoring``
and the rooms below it; databases and ledgers are handed in.
"""
