"""The disclosure document of a film.

Belongs here readers and writers of disclosures. Pure; may import ``canonical`` and ``models``.
"""
