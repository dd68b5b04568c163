"""``python -m ebgan_kernels`` reports which implementations can run here; ``--check`` tests them."""

import sys

from ebgan_kernels.selfcheck.command import main

if __name__ == "__main__":
    sys.exit(main())
