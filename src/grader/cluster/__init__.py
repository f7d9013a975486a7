"""A class graded on many machines, by way of a Dask scheduler. Needs the extra ``dask``.

Each worker of the scheduler is a *node*: it has a PostgreSQL server and a sandbox of its own. What
goes over is the course, once for each node, and then whole submissions, as their files; what comes
back is what their checks found. A submission of a node that is lost is graded again elsewhere.
"""
