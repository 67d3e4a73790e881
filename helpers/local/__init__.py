"""The local AWS: a process of its own that the workshop starts, and that shares nothing with the helpers."""
