"""Words for as many tracks and lessons as anybody wants.

Terms stand in the order in which they are used: the first in almost every lesson, the last in very
few, as words are in real texts. A search for a common and for a rare word are different tasks.
"""

from random import Random

TOPICS = (
    "PostgreSQL", "Python", "SQLAlchemy", "Data modeling", "Statistics", "Linux", "Git", "Testing",
    "HTTP APIs", "Security", "Spreadsheets", "Machine learning", "Data cleaning", "Dashboards",
    "Event streams", "Time series", "Geodata", "Text mining", "Networks", "Containers",
    "Message queues", "Caching", "Search", "Accounting data", "Clinical data", "Survey data",
    "Sensor data", "Open data", "Type hints", "Notebooks", "Migrations", "Backups", "Monitoring",
    "Concurrency", "Data ethics", "Privacy", "Data contracts", "Warehouses", "Graphs",
    "Regular expressions",
)  # fmt: skip
ANGLES = (
    "for beginners", "in a week", "for analysts", "for engineers", "in practice", "under load",
    "step by step", "by example", "from mistakes", "for teams", "with real data", "in depth",
    "without fear", "for the curious", "at work", "for teachers", "on a small budget",
    "on a large scale", "from first principles", "with exercises", "for researchers",
    "in twenty lessons", "before production", "after an incident", "for the second time",
)  # fmt: skip
TERMS = (
    "table", "row", "query", "index", "key", "value", "column", "join", "plan", "transaction",
    "lock", "schema", "constraint", "function", "test", "file", "error", "log", "server", "client",
    "session", "pool", "page", "filter", "order", "group", "sum", "average", "count", "window",
    "view", "trigger", "sequence", "identifier", "timestamp", "interval", "number", "text", "array",
    "document", "network", "request", "answer", "timeout", "retry", "queue", "worker", "cache",
    "copy", "backup", "restore", "replica", "snapshot", "version", "migration", "revision",
    "branch", "merge", "review", "release", "incident", "alert", "metric", "histogram", "sample",
    "median", "variance", "outlier", "correlation", "regression", "forecast", "season", "sensor",
    "calibration", "map", "polygon", "route", "graph", "node", "edge", "cycle", "tree", "heap",
    "hash", "partition", "shard", "consensus", "quorum", "clock", "ledger", "invoice", "audit",
    "consent", "erasure", "pseudonym", "encryption", "salt", "certificate", "signature", "token",
    "tokenizer", "stemmer", "trigram", "bitmap", "checkpoint", "vacuum", "bloat", "toast",
    "tombstone", "watermark", "backpressure", "idempotence", "linearizability", "monotonicity",
    "cardinality", "selectivity", "skew", "covariance", "heteroscedasticity", "kurtosis",
)  # fmt: skip
SENTENCES = (
    "Start with the {}: it decides what the {} can still do later.",
    "Most surprises with a {} come from a {} that nobody looked at.",
    "Write down which {} belongs to which {}, and let the database keep it so.",
    "Before you change the {}, measure the {} twice.",
    "A {} is cheap to read and dear to keep; a {} is the other way round.",
    "Explain to a colleague why the {} needs a {}, in two sentences.",
    "When the {} is wrong, the {} is the first place to look.",
    "Take the {} away and watch what becomes of the {}.",
)


def track_title(index: int) -> str:
    """Return the title of the track with this index; a thousand of them before one comes again."""
    around, place = divmod(index, len(TOPICS) * len(ANGLES))
    # Neighbors differ in both words, so a page of the catalog does not look like a list of one.
    topic, angle = place % len(TOPICS), (place // len(TOPICS) + place) % len(ANGLES)
    return f"{TOPICS[topic]} {ANGLES[angle]}" + (f", part {around + 1}" if around else "")


def term(random: Random) -> str:
    """Draw a term, the first ones much more often than the last ones."""
    return TERMS[int(len(TERMS) * random.random() ** 3)]


def text(random: Random, sentences: int) -> str:
    """Make up so many sentences."""
    return " ".join(
        random.choice(SENTENCES).format(term(random), term(random)) for _ in range(sentences)
    )
