#!/usr/bin/env python3
"""Run a program in a new directory, which is removed afterwards.

    in_scratch.py PROGRAM [ARGUMENT...]
"""

import os
import subprocess
import sys
import tempfile

program = os.path.realpath(sys.argv[1])
with tempfile.TemporaryDirectory(dir=".", prefix="bench-") as scratch:
    sys.exit(subprocess.run([program, *sys.argv[2:]], cwd=scratch,
                            check=False).returncode)
