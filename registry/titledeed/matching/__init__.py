"""Candidates, time alignment and score: pure, except that the index reads its source and its files.

Here lie what both kinds of evidence share: the embedded index, its shelves, the thresholds and the
classes of matches. Rooms, each importing only those named after it and ``fingerprinting``:
``pictures`` and ``sound`` (not each other), ``tables``, ``thresholds``.
"""
