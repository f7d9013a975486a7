"""Figures about tracks, learners and time.

Each module says what one row of its answers stands for (its grain), and no join multiplies rows
below it: what has another grain is summed up first and joined then.

A figure about one track or one learner is computed when it is asked for. A figure about all of them
is read from a materialized view, and is as old as `views.refreshed_at` says.
"""
