"""`hlhcli` and `python -m hlhcli`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TextIO

_PLACES = 6  # in the program, of an error that nobody foresaw


def main() -> None:
    """Run the command as any Unix tool: a reader that closes the pipe ends it quietly, a full disk is one line."""
    gc.disable()  # a short process leaves no garbage worth collecting; a long call turns it on again
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # no plugin of another package sees a patient
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no partial file stays behind
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    sys.unraisablehook = lambda _: None  # it would show what was being closed, and the work is done then
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr)
    try:
        try:
            _run()
        finally:
            sys.stdout.flush()
    except OSError as error:
        _say(f"{error.filename or 'standard output'}: cannot be written: {(error.strerror or type(error).__name__).lower()}")
        _abandon(sys.stdout)
        sys.exit(1)
    except KeyboardInterrupt:  # before the commands are there, or after
        sys.exit(130)
    except MemoryError:
        _say("more memory is needed than there is")
        sys.exit(1)
    except Exception as error:
        _say(_mistake(error))
        sys.exit(1)


def _run() -> None:
    """The command that was called, with the modules that it needs."""
    if os.environ.get("_HLHCLI_COMPLETE", "").startswith("complete_"):  # a shell asks at every key, and waits
        from hlhcli.completion import complete

        complete(os.environ["_HLHCLI_COMPLETE"].removeprefix("complete_"))
        return
    from hlhcli.cli import app

    if sys.argv[1:3] == ["cohort", "summary"]:  # a command of two words
        sys.argv[1:3] = ["cohort summary"]
    if sys.argv[1:2] and sys.argv[1].startswith("cohort"):  # starts DuckDB, and nothing else that it can do without
        import hlhcli.cli_cohort
    elif sys.argv[1:2] not in (["check"], ["--version"]):  # which need none of the others
        import hlhcli.cli_cohort
        import hlhcli.cli_convert
        import hlhcli.cli_definitions
        import hlhcli.cli_pictures  # noqa: F401

    # Typer builds every command it knows at each start; the others are not needed where one is named.
    named = [command for command in app.registered_commands if command.name in sys.argv[1:2]]
    app.registered_commands = named or app.registered_commands
    app()


def _mistake(error: Exception) -> str:
    """An error that nobody foresaw: its kind and where in the program. Its message and its data may be a patient's."""
    from hlhcli import __version__

    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    shown = dict.fromkeys([*[place for place in places if place.startswith("hlhcli.")][-_PLACES:], *places[-1:]])
    return (
        f"hlhcli {__version__} failed: {type(error).__name__} at {', '.join(shown)}. This is a mistake in hlhcli,"
        " not in the input.\n"
        "Please report these two lines; they hold nothing of the input. Nothing was sent, and nothing more was written."
    )


def _say(message: str) -> None:
    try:
        print(message, file=sys.stderr)  # noqa: T201
    except OSError:  # nobody is there to read it
        _abandon(sys.stderr)


def _usable(stream: TextIO | None) -> TextIO:
    """A stream that exists (it may have been closed) and takes every character (it may have no more than ASCII)."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _abandon(stream: TextIO) -> None:
    """Point the stream elsewhere, so that leaving does not try, and fail, to write the rest of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
