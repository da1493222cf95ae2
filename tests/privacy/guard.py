"""Forbids the network to this process and to all that it starts: Python's own sockets, and those that the kernel is asked for."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

FORBIDDEN = 97  # exit status
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # the kernel's names of the machine and of socket()
_LOCAL = 1  # AF_UNIX: between processes of one machine; C libraries ask for names of users over it
_EVENTS = (
    "socket.", "ssl.", "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "telnetlib.", "nntplib.", "webbrowser.",
    "subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.startfile",
)  # fmt: skip


def forbid() -> None:
    """From now on a socket that could leave the machine, or a program that is started, ends the process."""

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not event.startswith(_EVENTS):
            return
        family = arguments[1] if event == "socket.__new__" else getattr(arguments[0], "family", None) if arguments else None
        if event != "socket.gethostname" and family != _LOCAL:
            os.write(2, f"forbidden: {event} {arguments!r}\n".encode())
            os._exit(FORBIDDEN)  # which no handler can catch

    sys.addaudithook(watch)
    if seals():
        _seal()


def seals() -> bool:
    """True where the kernel can be asked too."""
    return sys.platform == "linux" and platform.machine() in _SOCKET


def _seal() -> None:
    """A filter of the kernel (seccomp): whoever asks for a socket that is not local is killed, whatever language asks."""
    machine, number = _SOCKET[platform.machine()]
    load, equal, give = 0x20, 0x15, 0x06
    steps = [
        (load, 0, 0, 4), (equal, 0, 5, machine),
        (load, 0, 0, 0), (equal, 0, 3, number),
        (load, 0, 0, 16), (equal, 1, 0, _LOCAL),
        (give, 0, 0, 0x80000000),  # kill
        (give, 0, 0, 0x7FFF0000),  # allow
    ]  # fmt: skip
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(program, len(program))
    asked = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(held)))
    call = ctypes.CDLL(None, use_errno=True).prctl
    assert call(38, 1, 0, 0, 0) == 0  # no new privileges, which a filter asks for
    assert call(22, 2, ctypes.byref(asked), 0, 0) == 0, os.strerror(ctypes.get_errno())
