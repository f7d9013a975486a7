"""SQL as people read it: laid out in lines, and colored."""

from __future__ import annotations

from html import escape

import sqlparse

LONGEST = 20_000
"""Characters that are laid out and colored; a longer statement is shown cut at this length."""


def formatted(sql: str) -> str:
    """The statement laid out in lines; not a word of it is changed."""
    if len(sql) > LONGEST:
        return f"{sql[:LONGEST]}\n… and {len(sql) - LONGEST:,} more characters"
    return str(sqlparse.format(sql, reindent=True, wrap_after=64)).strip()


def highlighted(sql: str) -> str:
    """The statement as safe HTML, its keywords, texts and numbers in classes of Pygments."""
    if len(sql) > LONGEST:
        return escape(sql)
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers.sql import PostgresLexer  # type: ignore[import-untyped]

    return str(highlight(sql, PostgresLexer(), HtmlFormatter(nowrap=True))).rstrip("\n")
