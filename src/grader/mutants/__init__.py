"""Mutants of an exercise's solution: each differs from it in one small thing, and the exercise's
checks must notice.

===========  ======================================================================================
`mutant`     what a mutant is, and all of them for one exercise
`python`     those of a Python file, by the operators of mutmut and some of our own
`sql`        those of SQL, by operators on the trees of sqlglot
`ledger`     ``solutions/NN_slug/mutants.json``: what was found, and why a survivor is right
`trial`      grades them, as submissions among many
===========  ======================================================================================

Nothing here is imported before mutants are asked for: mutmut and sqlglot come with the extra
``author``.
"""
