# threat: 11
# earns: 0
# ends: raised assertion raised
# says: forgedbold | =1+forged | +2+forged | -3-forged | @forged | ::error file=a.py::forgedraised | forgedprinted
"""Prints marks, raises markup and returns formulas, so that each stands in a failure of its own."""

from sqlalchemy import text

PRINTED = (
    "\x1b[2J\x1b[1;1H\x1b[32mPASSED 10/10\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07",
    "::error file=a.py::forgedprinted\n::set-output name=points::10\n::stop-commands::x",
    "##[error]forged\n##vso[task.complete result=Succeeded;]forged",
    "<script>document.title='forged'</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("https://example.com")\n@SUM(A1)\n| points | 10 |',
    "```\n# forged heading\n[forged link](https://example.com) ![x](https://example.com/x.png)",
    "\u202eevil \u2066forged \x00 \x9b31m \x9d0;forged\x07 \x1b[?1049h\x07",
)
for line in PRINTED:
    print(line)

MARKUP = (
    "<b>forgedbold</b><script>alert('forged')</script><img src=x onerror=alert('forged')>"
    " \x1b[32mforged\x1b[0m \x1b]0;forged\x07 ]]> \x00 </failure></testcase><testcase name='forged'/>"
    "\n::error file=a.py::forgedraised\n::set-output name=points::10\n::stop-commands::forged"
    "\n##[error]forged\n# forged heading\n| forged | 10 |\n```\n**[forged](https://example.com)** `x`"
    "\n\u202eforged\u2069"
)
Forged = type("<img src=x onerror=alert('forged')>", (ValueError,), {})


def add_note(session, body):
    query = text("SELECT :marks AS \"<script>alert('forged')</script>\" /*\n::error::forged */")
    session.execute(query, {"marks": "=1+forged <img src=x onerror=alert('forged')>"})
    raise Forged(MARKUP)


def find_notes(session, word):
    return [
        "=1+forged",
        "+2+forged",
        "-3-forged",
        "@forged",
        "\t=forged",
        "\r=forged",
        "\n::error file=a.py::forged",
        "<script>alert('forged')</script>",
        "\x1b[32mforged",
    ]
