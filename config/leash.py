"""Run one program so that nothing of it outlives its supervisor, with its name before each line that it prints.

Used as `python -P config/leash.py NAME PROGRAM ARGUMENT...`. When the program ends, whatever it had started is killed.
When the leash is told to stop, or is killed, the program is told to stop. (On Linux; elsewhere only an orderly
stop takes everything along.) Imports nothing of ours: it has to be small, it stays in memory for each program.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

PR_SET_PDEATHSIG = 1


def stop_me_when_my_parent_dies() -> None:
    """Ask Linux for a SIGTERM at the death of the process that started this one."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def main(name: str, *command: str) -> int:
    """Run `command` to its end; returns its exit status as a shell would."""
    leash = os.getpid()
    stop_me_when_my_parent_dies()

    def before_exec() -> None:
        stop_me_when_my_parent_dies()
        if os.getppid() != leash:
            os._exit(1)

    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=before_exec,
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        program.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    threading.Thread(target=_copy_lines, args=(name, program), daemon=True).start()
    try:
        status = program.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _copy_lines(name: str, program: "subprocess.Popen[bytes]") -> None:
    assert program.stdout is not None
    prefix = f"{name:<6} | ".encode()
    for line in program.stdout:
        os.write(1, prefix + line)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
