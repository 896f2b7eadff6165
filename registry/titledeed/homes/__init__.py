"""Whole homes: found, back up, restore, rebuild, salvage, erase, diagnose; their layout."""
