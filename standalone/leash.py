"""Become a command that the kernel ends together with the process that started it.

``python leash.py PARENT_PID COMMAND ...``: a parent that is killed cannot end its children itself.
The death signal is asked for here, between fork and exec, because the parent may have threads,
which `subprocess`'s ``preexec_fn`` forbids; it survives the exec (prctl(2), PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then turn it into the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the tie was made
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
