"""Compares one network with referees: `run.py` starts this, in a process of its own."""

import sys

from campaign.compare import main

if __name__ == "__main__":
    main(sys.argv[1:])
