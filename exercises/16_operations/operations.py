"""What the program and its nightly job call. Given: the work is done in the two files.

All that they have, and not each function by name: one that is not there yet fails by itself, and
takes no other along.
"""

from backup import *  # noqa: F403 - by name, one missing would fail all
from connections import *  # noqa: F403 - as above
