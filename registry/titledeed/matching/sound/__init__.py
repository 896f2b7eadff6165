"""What is heard: keys of peaks, lines that hits agree on, how well peaks lie on a line.

Belongs here whatever compares sounds. May import ``tables`` and ``thresholds`` of ``matching``, and
``fingerprinting``; nothing of pictures.
"""
