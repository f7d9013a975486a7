"""A search of one's own: stems from PostgreSQL, everything else by counting rows."""

import re
from collections import defaultdict

from sqlalchemy import bindparam, text

STEMS = text("SELECT lexeme, positions FROM unnest(to_tsvector('english', :said))")
PLACES = text("SELECT * FROM lesson_words WHERE word IN :stems").bindparams(
    bindparam("stems", expanding=True)
)
TITLES = text("SELECT id, title FROM lessons WHERE is_published AND id = ANY (:ids)")
PART = re.compile(r'((?<!\S)-)?(?:"([^"]*)"|([^\s"]+))')


def stems_of(session, said):
    """The stems of a text in the order of their places."""
    rows = session.execute(STEMS, {"said": said}).all()
    return [
        stem for _, stem in sorted((place, row.lexeme) for row in rows for place in row.positions)
    ]


def find_lessons(session, query, limit=10):
    wanted, phrases, unwanted = [], [], set()
    # One question for all words, and one for each phrase or word with a minus.
    plain = []
    for minus, phrase, word in PART.findall(query.replace("\0", " ")):
        if minus:
            unwanted.update(stems_of(session, phrase or word))
        elif phrase:
            phrases.append(stems_of(session, phrase))
            wanted += phrases[-1]
        else:
            plain.append(word)
    wanted += stems_of(session, " ".join(plain))
    if not wanted:
        return []
    places = defaultdict(lambda: defaultdict(list))
    for row in session.execute(PLACES, {"stems": list({*wanted, *unwanted})}):
        places[row.lesson_id][row.word].append((row.in_title, row.places))
    found = {
        lesson: words
        for lesson, words in places.items()
        if words.keys() >= set(wanted)
        and not words.keys() & unwanted
        and all(_side_by_side(words, phrase) for phrase in phrases)
    }
    titles = session.execute(TITLES, {"ids": list(found)}).all()
    best = sorted(titles, key=lambda row: (*_less_is_better(found[row.id], wanted), row.id))
    return [{"id": row.id, "title": row.title} for row in best[:limit]]


def _side_by_side(words, phrase):
    for part in (True, False):
        starts = [
            {p - n for t, ps in words[w] if t is part for p in ps} for n, w in enumerate(phrase)
        ]
        if starts and set.intersection(*starts):
            return True
    return False


def _less_is_better(words, wanted):
    entries = [entry for word in set(wanted) for entry in words[word]]
    return (
        -sum(in_title for in_title, _ in entries),
        -sum(len(places) for _, places in entries),
    )
