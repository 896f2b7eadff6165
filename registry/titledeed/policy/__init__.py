"""Rule packs: what a festival or a law asks, as data, and its evaluation over facts.

Belongs here what reads and applies packs. Pure; may import ``canonical`` and ``models``.
"""
