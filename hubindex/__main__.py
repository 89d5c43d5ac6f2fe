"""`python -m hubindex` is `hubindex`."""

from hubindex.cli import main

if __name__ == "__main__":
    main()
