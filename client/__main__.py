"""``python -m client`` is ``ertis``."""

from client.command import app, main

__all__ = ["app"]

if __name__ == "__main__":
    main()
