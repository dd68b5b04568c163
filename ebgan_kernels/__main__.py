"""``python -m ebgan_kernels``: what is available here, and why; with ``--check``, whether it is right."""

import sys

from ebgan_kernels.selfcheck.command import main

if __name__ == "__main__":
    sys.exit(main())
