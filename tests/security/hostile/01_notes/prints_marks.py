# threat: 11
# earns: 0
# ends: import import import
print("\x1b[2J\x1b[1;1H\x1b[32mPASSED 10/10\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07")
print("::error file=a.py::forged\n::set-output name=points::10\n::stop-commands::x")
print("<script>document.title='forged'</script><img src=x onerror=alert(1)>")
print('=HYPERLINK("https://example.com")\n@SUM(A1)\n| points | 10 |')
print("\u202eevil \ud800 \x00 \x9b31m")


def add_note(session, body):
    raise ValueError("\x1b[32m<b>=1+1</b>\x1b[0m ]]> \x00 </testcase>")


def find_notes(session, word):
    return ["<script>alert(1)</script>", "=1+1", "\x1b[32m"]
