"""The audit of one film: facts, findings, report. Pure; the evidence is gathered elsewhere.

``report`` turns evidence into a report and adds what a rule pack raised over the facts of
``facts``; ``document`` and ``page`` render it. May import ``canonical``,
``models`` and ``errors``.
"""
