"""Typed objects over the object store: this room alone knows keys and formats, and forgets.

Belongs here how a thing is named, encoded, read back and deleted. Nobody outside names a key or
opens what is kept. May import ``canonical``, ``models`` and ports.
"""
