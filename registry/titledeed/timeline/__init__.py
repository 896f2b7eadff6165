"""Timelines of an edit: which shots the film has, and where."""

from titledeed.timeline.otio import read_timeline

__all__ = ["read_timeline"]
