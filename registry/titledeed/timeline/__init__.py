"""Timelines of an edit: which shots the film has, and where.

Belongs here one reader per format. Pure; may import ``canonical``, ``models`` and ``errors``.
"""
