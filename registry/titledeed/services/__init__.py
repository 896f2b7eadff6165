"""Use cases: one per public method. The verbs that faces call.

Belongs here what a person would ask for, and nothing that two verbs share: that lies in a room
below. May import ports and pure rooms, ``anchoring`` and ``homes``; never settings or adapters,
and nothing of how results are shown.
"""
