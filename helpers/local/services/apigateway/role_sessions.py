"""The role that an integration names as its credentials, as API Gateway assumes it.

Source: API Gateway API reference, "PutIntegration", credentials; IAM user guide, "Temporary security
credentials". The session is used again until shortly before it expires.
"""

import time
from dataclasses import dataclass

from botocore.credentials import Credentials
from ministack import app
from ministack.services import sts

from helpers.local import contract
from helpers.local.functions.invocation_rights import role_trusts
from helpers.local.services.apigateway.execution import configuration_error

SERVICE = "apigateway.amazonaws.com"
SESSION_NAME = "BackplaneAssumeRoleSession"
LIFETIME_S = 3600
RENEWAL_S = 300

_known_sessions = contract.expect(sts, "_sessions")
_register = contract.expect(sts, "register_session", ("access_key", "session"))
_new_access_key = contract.expect(sts, "_gen_session_access_key", ())
_new_secret = contract.expect(sts, "_gen_secret", ())
_new_token = contract.expect(sts, "_gen_session_token", ())
_role_id = contract.expect(sts, "_role_id", ("role_arn",))


@dataclass(frozen=True)
class _Session:
    credentials: Credentials
    expires_s: float

    def is_usable(self) -> bool:
        """The emulator forgets all sessions when it is reset."""
        is_known = self.credentials.access_key in _known_sessions
        return is_known and time.time() < self.expires_s - RENEWAL_S


_sessions: dict[str, _Session] = {}


def credentials_of(role_arn: str | None) -> Credentials:
    """Raises ExecutionFailed when the role is missing or API Gateway may not assume it."""
    if not role_arn or not role_trusts(role_arn, SERVICE):
        raise configuration_error(
            f"API Gateway does not have permission to assume the provided role {role_arn}"
        )
    if not app.AUTH:
        return Credentials(role_arn.split(":")[4], "test")
    session = _sessions.get(role_arn)
    if session is None or not session.is_usable():
        session = _sessions[role_arn] = _assume(role_arn)
    return session.credentials


def _assume(role_arn: str) -> _Session:
    account_id, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    credentials = Credentials(_new_access_key(), _new_secret(), _new_token())
    expires_s = time.time() + LIFETIME_S
    _register(
        credentials.access_key,
        {
            "Arn": f"arn:aws:sts::{account_id}:assumed-role/{name}/{SESSION_NAME}",
            "UserId": f"{_role_id(role_arn)}:{SESSION_NAME}",
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.token,
            "Expiration": expires_s,
            "AccountId": account_id,
            "PrincipalType": "AssumedRole",
        },
    )
    return _Session(credentials, expires_s)
