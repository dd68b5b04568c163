"""`python -m ebgan` is the command `ebgan`."""

from __future__ import annotations

import sys

from ebgan.cli import main

sys.exit(main())
