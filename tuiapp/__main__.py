"""`python -m tuiapp`: the same as the `facewright` command."""

import sys

from tuiapp.cli import main

sys.exit(main())
