"""Start the checker that stays ready: ``python -m kit.standby OPTIONS``."""

import sys

if __name__ == "__main__":
    from kit.standby import keeper

    keeper.main(sys.argv[1])
