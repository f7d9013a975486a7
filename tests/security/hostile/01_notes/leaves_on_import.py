# threat: 4
# earns: 0
# ends: killed killed killed
import os

os.abort()
