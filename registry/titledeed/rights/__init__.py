"""Rights statements; licences, consents and disputes come with the contracts around the core.

Belongs here documents and rules about rights. Pure; may import ``canonical`` and ``models``.
"""
