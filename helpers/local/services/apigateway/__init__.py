"""REST API integrations: mapping templates, parameter mapping, and what they call.

Restores what the emulator has for Lambda and SQS only, in a fragment of the template language. A
request goes through mapping.py to one of backends.py and back; patches/rest_api_integrations.py puts
that in the place of the emulator's own.

AWS: API Gateway developer guide, "Integrations for REST APIs in API Gateway" and "Data
transformations for REST APIs in API Gateway".
"""
