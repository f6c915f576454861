"""What a call of a compiler costs."""

import os
import subprocess
import tempfile


class DoesNotCompile(Exception):
    """Its text begins what the compiler said."""


def compile_cost(command):
    """Seconds of processor time, and peak MB."""
    with tempfile.TemporaryFile("w+") as messages:
        try:
            process = subprocess.Popen(command, stderr=messages)
        except OSError as error:
            raise DoesNotCompile(f"{command[0]}: {error.strerror}") from None
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            messages.seek(0)
            raise DoesNotCompile(messages.read(2000))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
