"""A checker that stays ready between two checks: a server, a sandbox and imported libraries.

``kit check`` and ``kit watch`` ask it over a Unix socket in the kit's home (`place`). It is a
process of its own (`keeper`) that forks another for each check (`attendant`), so that no check
finds what one before it left; the next one is made ready when a check has been answered. Whoever
asks (`client`) does the work itself where the checker is not to be had.

It ends by itself when nobody has asked for a while, when the kit or its packages have changed, and
when its folder is gone. If it is killed its server ends too (`pglab.servers.supervisor`), and so
does what it had forked. Linux only: elsewhere every check starts what it needs.
"""
