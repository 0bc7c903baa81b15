"""Creates an environment whose Python logs its calls and fails if its arguments contain FAKE_CHECK."""

import os, sys
program = os.path.join(sys.argv[-1], "bin", "python")
os.makedirs(os.path.dirname(program), exist_ok=True)
with open(program, "w") as file:
    file.write("""#!/bin/sh
PATH=/usr/bin:/bin
echo "python $* [$(basename "$PWD"), $RUNNER_RUNS, $RUNNER_CHROMIUM]" >> "$LOG"
case "$FAKE_CHECK in $*" in " in "*) ;; *" in "*"$FAKE_CHECK"*) exit 1 ;; esac
""")
os.chmod(program, 0o755)
