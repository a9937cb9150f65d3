"""`python -m fabric`, the same as the command `fabric`."""

from fabric_designer import main

if __name__ == "__main__":
    main()
