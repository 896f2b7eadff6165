"""Use cases: one per public method. The verbs that faces call.

Belongs here what a person would ask for, and the few modules that verbs share because they ask
ports: who may (``access``, ``visibility``, ``standing``), what stands of a claim (``claims``,
``history``), what a killed process left (``recovery``). What is pure lies in a room below. May
import ports and pure rooms, ``anchoring`` and ``homes``; never settings or adapters, and nothing of
how results are shown.
"""
