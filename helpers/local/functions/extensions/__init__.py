"""Lambda extensions: processes that live beside the runtime of an execution environment.

Source of the rules: AWS Lambda developer guide, "Augment Lambda functions using Lambda extensions" and
"Using the Lambda Extensions API to create extensions".
"""
