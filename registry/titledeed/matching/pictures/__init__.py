"""What is seen: candidates by codes and local features, their alignment in time, their geometry.

Belongs here whatever compares pictures, still or moving. May import ``tables`` and ``thresholds``
of ``matching``, and ``fingerprinting``; nothing of sound.
"""
