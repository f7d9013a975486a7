"""Signatures over a grading: who holds the key has said these results, and nothing has changed
since. Needs the extra ``sign``.
"""

SIGNATURE = "signature.json"
"""What the file with the signature is called, beside the reports."""
