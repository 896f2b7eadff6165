"""The audit of one film: facts, findings, report. Pure; the evidence is gathered elsewhere.

``assess`` turns evidence into a report; ``facts_of`` gives the facts for a rule pack;
``apply_rules`` adds what the pack raised. Then ``audit_document`` and ``audit_page`` render.
"""

from titledeed.audit.document import audit_document
from titledeed.audit.facts import facts_of
from titledeed.audit.page import audit_page
from titledeed.audit.report import apply_rules, assess
from titledeed.audit.wording import sentence_of

__all__ = [
    "apply_rules",
    "assess",
    "audit_document",
    "audit_page",
    "facts_of",
    "sentence_of",
]
