"""Versions, staging labels, sizes, deletion and permissions of secrets."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from secrets_and_roles import allow, client_of_role, customer_key, make_secret  # noqa: F401

from helpers.refusals import refusal

MakeSecret = Callable[..., str]
ClientOfRole = Callable[..., Any]


@pytest.fixture
def secrets(make_client: Callable[..., Any]) -> Any:
    return make_client("secretsmanager")


def labels_of(secrets: Any, arn: str) -> dict[str, list[str]]:
    """By version, in the order of the versions' labels."""
    versions = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return {version: sorted(labels) for version, labels in versions.items()}


def test_current_and_previous_move_with_each_new_value(
    secrets: Any,
    make_secret: MakeSecret,  # noqa: F811
) -> None:
    """User guide, "Secret versions": AWSCURRENT, AWSPREVIOUS; versions without labels are deprecated, and
    listed on demand only ("ListSecretVersionIds", IncludeDeprecated)."""
    arn = make_secret(SecretString="1")
    first = secrets.get_secret_value(SecretId=arn)["VersionId"]
    second = secrets.put_secret_value(SecretId=arn, SecretString="2")["VersionId"]
    third = secrets.update_secret(SecretId=arn, SecretString="3")["VersionId"]
    assert labels_of(secrets, arn) == {third: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}
    assert secrets.get_secret_value(SecretId=arn, VersionId=first)["SecretString"] == "1"
    listed = secrets.list_secret_version_ids(SecretId=arn)["Versions"]
    assert {version["VersionId"] for version in listed} == {second, third}
    all_versions = secrets.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True)["Versions"]
    assert {version["VersionId"] for version in all_versions} == {first, second, third}


def test_a_token_is_the_version_and_makes_requests_idempotent(
    secrets: Any,
    make_secret: MakeSecret,  # noqa: F811
) -> None:
    """API reference, "PutSecretValue" and "CreateSecret", ClientRequestToken."""
    token, other = str(uuid.uuid4()), str(uuid.uuid4())
    arn = make_secret(SecretString="1", ClientRequestToken=token)
    assert secrets.get_secret_value(SecretId=arn)["VersionId"] == token
    for _ in range(2):
        answer = secrets.put_secret_value(SecretId=arn, SecretString="2", ClientRequestToken=other)
        assert answer["VersionId"] == other
    assert labels_of(secrets, arn) == {other: ["AWSCURRENT"], token: ["AWSPREVIOUS"]}
    again = refusal(secrets.put_secret_value, SecretId=arn, SecretString="3", ClientRequestToken=other)
    assert again == (
        f"ResourceExistsException: You can't use ClientRequestToken {other} because that value is already in "
        f"use for a version of secret {arn}."
    )


def test_a_label_is_attached_to_one_version(secrets: Any, make_secret: MakeSecret) -> None:  # noqa: F811
    """API reference, "PutSecretValue", VersionStages, and "UpdateSecretVersionStage"."""
    arn = make_secret(SecretString="1")
    first = secrets.get_secret_value(SecretId=arn)["VersionId"]
    pending = [
        secrets.put_secret_value(SecretId=arn, SecretString=value, VersionStages=["AWSPENDING"])["VersionId"]
        for value in ("2", "3")
    ]
    assert labels_of(secrets, arn) == {first: ["AWSCURRENT"], pending[1]: ["AWSPENDING"]}
    mismatch = refusal(secrets.get_secret_value, SecretId=arn, VersionId=first, VersionStage="AWSPENDING")
    assert mismatch == (
        "InvalidRequestException: You provided a VersionStage that is not associated to the provided "
        "VersionId."
    )
    secrets.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=pending[1], RemoveFromVersionId=first
    )
    # Here, AWSPENDING stays until it is removed.
    assert labels_of(secrets, arn) == {first: ["AWSPREVIOUS"], pending[1]: ["AWSCURRENT", "AWSPENDING"]}
    removed = refusal(
        secrets.update_secret_version_stage,
        SecretId=arn,
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=pending[1],
    )
    assert removed.startswith("InvalidParameterException: You can only move staging label AWSCURRENT")


def test_a_secret_may_have_no_value_yet(secrets: Any, make_secret: MakeSecret) -> None:  # noqa: F811
    """API reference, "CreateSecret": a secret without a value has no version."""
    arn = make_secret()
    assert labels_of(secrets, arn) == {}
    assert refusal(secrets.get_secret_value, SecretId=arn).startswith("ResourceNotFoundException")
    version = secrets.put_secret_value(SecretId=arn, SecretString="1")["VersionId"]
    assert labels_of(secrets, arn) == {version: ["AWSCURRENT"]}


def test_a_value_has_65536_bytes_at_most(secrets: Any, make_secret: MakeSecret) -> None:  # noqa: F811
    """User guide, "AWS Secrets Manager quotas", secret value size."""
    arn = make_secret(SecretString="x" * 65_536)
    for call in (secrets.put_secret_value, secrets.update_secret):
        message = refusal(call, SecretId=arn, SecretString="x" * 65_537)
        assert message == (
            "ValidationException: 1 validation error detected: Value at 'secretString' failed to satisfy "
            "constraint: Member must have length less than or equal to 65536"
        )
    both = refusal(secrets.put_secret_value, SecretId=arn, SecretString="x", SecretBinary=b"x")
    assert both.startswith("InvalidParameterException: You can't specify both")
    neither = refusal(secrets.put_secret_value, SecretId=arn)
    assert neither == "InvalidRequestException: You must provide either SecretString or SecretBinary."


def test_a_secret_scheduled_for_deletion_cannot_be_read(
    secrets: Any,
    make_secret: MakeSecret,  # noqa: F811
) -> None:
    """API reference, "DeleteSecret": a window of 7 to 30 days, in which the secret can be restored."""
    arn = make_secret(SecretString="1")
    for window in (6, 31):
        message = refusal(secrets.delete_secret, SecretId=arn, RecoveryWindowInDays=window)
        assert message.startswith("InvalidParameterException: ")
    both = refusal(
        secrets.delete_secret, SecretId=arn, RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True
    )
    assert both.startswith("InvalidParameterException: ")
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    marked = (
        "InvalidRequestException: You can't perform this operation on the secret because it was marked for "
        "deletion."
    )
    assert refusal(secrets.get_secret_value, SecretId=arn) == marked
    assert refusal(secrets.put_secret_value, SecretId=arn, SecretString="2") == marked
    assert refusal(secrets.rotate_secret, SecretId=arn) == marked
    secrets.restore_secret(SecretId=arn)
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "1"


def test_a_role_reads_the_secrets_of_its_policy_only(
    make_secret: MakeSecret,  # noqa: F811
    client_of_role: ClientOfRole,  # noqa: F811
) -> None:
    """User guide, "Authentication and access control": the ARN ends in six characters, for which a policy may
    have question marks; the refusal repeats what was asked for."""
    mine, other = make_secret(SecretString="mine"), make_secret(SecretString="other")
    reader = client_of_role("secretsmanager", allow("secretsmanager:GetSecretValue", f"{mine[:-6]}??????"))
    name_of = {arn: arn.split(":")[6][:-7] for arn in (mine, other)}
    assert len(mine.rpartition("-")[2]) == 6
    for secret in (mine, name_of[mine]):
        assert reader.get_secret_value(SecretId=secret)["SecretString"] == "mine"
    for secret in (other, name_of[other]):
        message = refusal(reader.get_secret_value, SecretId=secret)
        assert message.startswith("AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/")
        assert message.endswith(
            f"is not authorized to perform: secretsmanager:GetSecretValue on resource: {secret} because no "
            "identity-based policy allows the secretsmanager:GetSecretValue action"
        )
    without_suffix = client_of_role("secretsmanager", allow("secretsmanager:GetSecretValue", mine[:-7]))
    assert refusal(without_suffix.get_secret_value, SecretId=mine).startswith("AccessDeniedException")


def test_a_resource_policy_allows_and_denies(
    secrets: Any,
    make_client: Callable[..., Any],
    make_secret: MakeSecret,  # noqa: F811
    client_of_role: ClientOfRole,  # noqa: F811
) -> None:
    """User guide, "Resource-based policies"."""
    arn = make_secret(SecretString="1")
    reader = client_of_role("secretsmanager", allow("secretsmanager:ListSecrets", "*"))
    session = refusal(reader.get_secret_value, SecretId=arn).split(" ")[2]
    account_id, role_name = session.split(":")[4], session.split("/")[1]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:role/{role_name}"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    for effect in ("Allow", "Deny"):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Effect": effect}]})
        secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy)
        if effect == "Allow":
            assert reader.get_secret_value(SecretId=arn)["SecretString"] == "1"
    message = refusal(reader.get_secret_value, SecretId=arn)
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_resource_policies_that_are_not_checked_are_refused(
    secrets: Any,
    make_secret: MakeSecret,  # noqa: F811
) -> None:
    """API reference, "PutResourcePolicy" (MalformedPolicyDocumentException, BlockPublicPolicy) and
    "ValidateResourcePolicy"."""
    arn = make_secret(SecretString="1")
    for malformed in ("no JSON", "{}", '{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}'):
        message = refusal(secrets.put_resource_policy, SecretId=arn, ResourcePolicy=malformed)
        assert message.startswith("MalformedPolicyDocumentException: ")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    for call in (
        lambda: secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy, BlockPublicPolicy=True),
        lambda: secrets.validate_resource_policy(SecretId=arn, ResourcePolicy=policy),
    ):
        assert refusal(call).startswith("NotImplementedException: ")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=arn)


def test_a_customer_managed_key_must_be_allowed_too(
    secrets: Any,
    make_client: Callable[..., Any],
    make_secret: MakeSecret,  # noqa: F811
    client_of_role: ClientOfRole,  # noqa: F811
    customer_key: str,  # noqa: F811
) -> None:
    """User guide, "Secret encryption and decryption in AWS Secrets Manager", permissions for the KMS key."""
    arn = make_secret(SecretString="1", KmsKeyId=customer_key)
    use = allow(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], arn)
    without = client_of_role("secretsmanager", use)
    reader = client_of_role("secretsmanager", use, allow("kms:Decrypt", customer_key))
    denied = "AccessDeniedException: Access to KMS is not allowed"
    assert refusal(without.get_secret_value, SecretId=arn) == denied
    assert reader.get_secret_value(SecretId=arn)["SecretString"] == "1"
    assert refusal(reader.put_secret_value, SecretId=arn, SecretString="2") == denied
    make_client("kms").disable_key(KeyId=customer_key)
    assert refusal(secrets.get_secret_value, SecretId=arn).startswith("DecryptionFailure")
    assert refusal(secrets.put_secret_value, SecretId=arn, SecretString="2").startswith("EncryptionFailure")
