"""Algorithms that look at frames, one class each, and what they are made of.

May import ``fingerprinting.base``; nothing of sound.
"""
