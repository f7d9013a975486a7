# threat: 4
# earns: 0
import os

os.abort()
