"""`hlhcli` and `python -m hlhcli`."""

from __future__ import annotations


def main() -> None:
    """Run the command. A reader that closes the pipe early (`| head`) ends it quietly, as any Unix tool."""
    import os
    import signal

    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # no plugin of another package sees a patient
    from hlhcli.cli import app

    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    app()


if __name__ == "__main__":
    main()
