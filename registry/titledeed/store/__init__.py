"""The database and the object store of one home.

Here belong tables, migrations, the repositories of ``ports.storage``, locks between processes, and
whole database files. SQL and obstore live here and nowhere else; no rule of what a row means does.

May import ``proofs`` (the words that find an event), ``ports``, ``canonical``, ``models``,
``errors``, ``durability``.
"""
