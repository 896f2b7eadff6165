"""Algorithms that listen, one class each, and what they are made of.

May import ``fingerprinting.base``; nothing of pictures.
"""
