"""The AppConfig agent: a Lambda extension that gets configurations and serves them on localhost.

It runs in the function's sandbox, so it imports nothing but Python's own modules and its own. Single
flags, other accounts, a proxy, a manifest, backups and local files are not supported here.
"""
