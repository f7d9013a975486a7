"""Enrolling and learning: parts 3 and 4. Your store may call functions that you write here."""
