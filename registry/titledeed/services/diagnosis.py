"""What ``titledeed doctor`` tells: what is here, what is missing, and how to get it."""

from __future__ import annotations
