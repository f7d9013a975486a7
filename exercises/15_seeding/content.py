"""What the demo school is made of. Given: there is nothing to change in it."""

FIRST_NAMES = (
    "Amara", "Bilal", "Carmen", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Ingrid", "Jonas",
    "Keiko", "Lucía", "Maya", "Noah", "Olga", "Priya", "Quentin", "Rosa", "Sven", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Bauer", "Castillo", "Dubois", "Eriksen", "Fernández", "Haddad", "Ivanova",
    "Kimura", "Lindqvist", "Mbeki", "Nowak", "O'Brien", "Patel", "Rahman", "Tanaka", "Wójcik",
)  # fmt: skip
TRACKS = {
    "sql": "SQL from the first row",
    "python": "Python for analysts",
    "git": "Git without fear",
    "statistics": "Statistics by example",
    "backups": "Backups that can be restored",
    "privacy": "Privacy at work",
}
"""The title of each track, by its name."""
TOPICS = (
    "A first look", "Names and numbers", "What can go wrong", "Two at once", "From a file",
    "Asking questions", "Sorting and grouping", "Finding mistakes", "Making it quick",
    "Working together", "Over a year", "Putting it to use",
)  # fmt: skip
"""Titles of lessons."""
