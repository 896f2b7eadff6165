"""Timelines of an edit: which shots the film has, and where."""
