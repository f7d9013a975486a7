"""What the program and its nightly job call. Given: the work is done in the two files."""

from backup import *  # noqa: F403
from connections import *  # noqa: F403
