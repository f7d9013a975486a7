"""Names for URLs."""

import re
import secrets
import unicodedata

SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"


def slugify(title: str) -> str:
    """Return a title in the letters of a URL: "Débuter en SQL!" becomes ``debuter-en-sql``.

    A title without any Latin letter or digit becomes ``untitled``.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:80].rstrip("-") or "untitled"


def unique_slug(title: str) -> str:
    """Return a slug that no other title has: two tracks may well be named alike."""
    return f"{slugify(title)}-{secrets.token_hex(4)}"
