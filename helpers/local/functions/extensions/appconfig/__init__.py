"""A stand-in for the AWS AppConfig Agent Lambda extension, in the place of AWS's own layer.

Source of the rules: AWS AppConfig user guide, "Using AWS AppConfig Agent with AWS Lambda" and its pages.
"""
