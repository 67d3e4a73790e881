"""Build the runtime directory ahead of the first function."""

from helpers.local.functions.runtimes.python import load

if __name__ == "__main__":
    load("python3.12")
