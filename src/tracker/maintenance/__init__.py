"""Looking after the database: what to look at every day and every week, and how to mend it.

Start with `daily` and `weekly`: each gives a list of items that are in order, need attention, or
could not be seen from here.
"""

from tracker.maintenance.checklist import Item, State, daily, weekly

__all__ = ["Item", "State", "daily", "weekly"]
