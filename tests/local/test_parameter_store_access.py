"""Who may read which parameter, and with which key."""

import base64
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from secrets_and_roles import allow, client_of_role, customer_key  # noqa: F401

from helpers.refusals import refusal

PARAMETERS = "arn:aws:ssm:us-east-1:111122223333:parameter"
ClientOfRole = Callable[..., Any]


@pytest.fixture
def ssm(make_client: Callable[..., Any]) -> Any:
    return make_client("ssm")


@pytest.fixture
def path(ssm: Any) -> Iterator[str]:
    """A path with the parameters `a` and `sub/b`, both "value"."""
    own = f"/test-{uuid.uuid4().hex[:8]}"
    for name in ("a", "sub/b"):
        ssm.put_parameter(Name=f"{own}/{name}", Value="value", Type="String")
    yield own
    names = [each["Name"] for each in ssm.get_parameters_by_path(Path=own, Recursive=True)["Parameters"]]
    ssm.delete_parameters(Names=names)


def test_a_role_reads_what_is_in_its_path_only(path: str, client_of_role: ClientOfRole) -> None:  # noqa: F811
    """User guide, "Restricting access to Parameter Store parameters using IAM policies": the ARN of a
    parameter has one slash before its name."""
    reader = client_of_role(
        "ssm", allow(["ssm:GetParameter", "ssm:GetParameters"], f"{PARAMETERS}{path}/sub/*")
    )
    assert reader.get_parameter(Name=f"{path}/sub/b:1")["Parameter"]["Value"] == "value"
    message = refusal(reader.get_parameter, Name=f"{path}/a")
    assert message.startswith("AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/")
    assert message.endswith(
        f"is not authorized to perform: ssm:GetParameter on resource: {PARAMETERS}{path}/a because no "
        "identity-based policy allows the ssm:GetParameter action"
    )


def test_get_parameters_is_all_or_nothing(path: str, client_of_role: ClientOfRole) -> None:  # noqa: F811
    """User guide, "Restricting access": GetParameters is authorised on each of its parameters."""
    reader = client_of_role("ssm", allow("ssm:GetParameters", f"{PARAMETERS}{path}/sub/*"))
    assert len(reader.get_parameters(Names=[f"{path}/sub/b"])["Parameters"]) == 1
    for names in ([f"{path}/sub/b", f"{path}/a"], [f"{path}/a", f"{path}/sub/b"]):
        message = refusal(reader.get_parameters, Names=names)
        assert f"ssm:GetParameters on resource: {PARAMETERS}{path}/a" in message


def test_access_to_a_path_is_access_to_all_its_levels(
    path: str,
    client_of_role: ClientOfRole,  # noqa: F811
) -> None:
    """API reference, "GetParametersByPath", Recursive: an explicit Deny for a parameter below the path does
    not matter."""
    deny_below = {"Effect": "Deny", "Action": "ssm:*", "Resource": f"{PARAMETERS}{path}/sub/b"}
    reader = client_of_role("ssm", allow("ssm:GetParametersByPath", f"{PARAMETERS}{path}"), deny_below)
    found = reader.get_parameters_by_path(Path=path, Recursive=True)["Parameters"]
    assert [parameter["Name"] for parameter in found] == [f"{path}/a", f"{path}/sub/b"]
    message = refusal(reader.get_parameters_by_path, Path=f"{path}/sub")
    assert f"ssm:GetParametersByPath on resource: {PARAMETERS}{path}/sub because" in message


def test_a_pattern_below_a_path_does_not_cover_the_path(
    path: str,
    client_of_role: ClientOfRole,  # noqa: F811
) -> None:
    """Service authorization reference, AWS Systems Manager: the resource is the path itself."""
    reader = client_of_role("ssm", allow("ssm:GetParametersByPath", f"{PARAMETERS}{path}/*"))
    assert refusal(reader.get_parameters_by_path, Path=path).startswith("AccessDeniedException")
    found = reader.get_parameters_by_path(Path=f"{path}/sub")["Parameters"]
    assert [parameter["Name"] for parameter in found] == [f"{path}/sub/b"]


def test_a_secure_string_needs_the_key_of_its_reader(
    ssm: Any,
    path: str,
    client_of_role: ClientOfRole,  # noqa: F811
    customer_key: str,  # noqa: F811
) -> None:
    """User guide, "AWS KMS encryption for SecureString parameters": kms:Decrypt of the caller."""
    name = f"{path}/secret"
    ssm.put_parameter(Name=name, Value="word", Type="SecureString", KeyId=customer_key)
    read = allow(["ssm:GetParameter", "ssm:GetParametersByPath"], f"{PARAMETERS}{path}*")
    without = client_of_role("ssm", read)
    message = refusal(without.get_parameter, Name=name, WithDecryption=True)
    assert f"is not authorized to perform: kms:Decrypt on resource: {customer_key}" in message
    assert "(Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException;" in message
    by_path = refusal(without.get_parameters_by_path, Path=path, WithDecryption=True)
    assert "is not authorized to perform: kms:Decrypt" in by_path
    assert without.get_parameter(Name=name)["Parameter"]["Value"] != "word"
    with_key = client_of_role("ssm", read, allow("kms:Decrypt", customer_key))
    assert with_key.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "word"


def test_conditions_see_the_encryption_context(
    ssm: Any,
    path: str,
    client_of_role: ClientOfRole,  # noqa: F811
    customer_key: str,  # noqa: F811
) -> None:
    """AWS KMS developer guide, "kms:EncryptionContext:context-key" and "kms:ViaService"."""
    for name in ("mine", "other"):
        ssm.put_parameter(Name=f"{path}/{name}", Value=name, Type="SecureString", KeyId=customer_key)
    equals = {
        "kms:EncryptionContext:PARAMETER_ARN": f"{PARAMETERS}{path}/mine",
        "kms:ViaService": "ssm.us-east-1.amazonaws.com",
    }
    decrypt = {**allow("kms:Decrypt", customer_key), "Condition": {"StringEquals": equals}}
    reader = client_of_role("ssm", allow("ssm:GetParameter", f"{PARAMETERS}{path}/*"), decrypt)
    assert reader.get_parameter(Name=f"{path}/mine", WithDecryption=True)["Parameter"]["Value"] == "mine"
    refused = refusal(reader.get_parameter, Name=f"{path}/other", WithDecryption=True)
    assert refused.startswith("AccessDeniedException")


def test_the_aws_managed_key_is_for_everybody_of_the_account(
    ssm: Any,
    path: str,
    client_of_role: ClientOfRole,  # noqa: F811
) -> None:
    """AWS KMS developer guide, "AWS managed keys": the policy of aws/ssm allows use through the service."""
    name = f"{path}/secret"
    ssm.put_parameter(Name=name, Value="word", Type="SecureString")
    reader = client_of_role("ssm", allow("ssm:GetParameter*", f"{PARAMETERS}{path}/*"))
    assert reader.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "word"
    decryptor = client_of_role("kms", allow("kms:Decrypt", "*"))
    ciphertext = base64.b64decode(reader.get_parameter(Name=name)["Parameter"]["Value"])
    context = {"PARAMETER_ARN": f"{PARAMETERS}{name}"}
    refused = refusal(decryptor.decrypt, CiphertextBlob=ciphertext, EncryptionContext=context)
    assert refused.startswith("AccessDeniedException")


def test_the_value_is_what_the_key_encrypted(
    ssm: Any,
    make_client: Callable[..., Any],
    path: str,
    customer_key: str,  # noqa: F811
) -> None:
    """User guide, "AWS KMS encryption for SecureString parameters": PARAMETER_ARN as encryption context."""
    name, kms = f"{path}/secret", make_client("kms")
    ssm.put_parameter(Name=name, Value="word", Type="SecureString", KeyId=customer_key)
    ciphertext = base64.b64decode(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    context = {"PARAMETER_ARN": f"{PARAMETERS}{name}"}
    assert kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)["Plaintext"] == b"word"
    assert refusal(kms.decrypt, CiphertextBlob=ciphertext).startswith("InvalidCiphertextException")
    history = ssm.get_parameter_history(Name=name, WithDecryption=True)["Parameters"]
    assert [version["Value"] for version in history] == ["word"]
    kms.disable_key(KeyId=customer_key)
    message = refusal(ssm.get_parameter, Name=name, WithDecryption=True)
    assert message.startswith("InvalidKeyId") and "is disabled" in message


def test_a_key_that_does_not_exist_is_refused(ssm: Any, path: str) -> None:
    """API reference, "PutParameter", InvalidKeyId."""
    message = refusal(
        ssm.put_parameter, Name=f"{path}/x", Value="word", Type="SecureString", KeyId="alias/none"
    )
    assert message.startswith(
        "InvalidKeyId: Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found."
    )


def test_writing_needs_the_key_too(
    path: str,
    client_of_role: ClientOfRole,  # noqa: F811
    customer_key: str,  # noqa: F811
) -> None:
    """User guide, "AWS KMS encryption for SecureString parameters": kms:Encrypt for a standard parameter and
    kms:GenerateDataKey for an advanced one."""
    write = allow("ssm:PutParameter", f"{PARAMETERS}{path}/*")
    writer = client_of_role("ssm", write, allow("kms:Encrypt", customer_key))
    parameters = {"Value": "word", "Type": "SecureString", "KeyId": customer_key}
    assert writer.put_parameter(Name=f"{path}/x", **parameters)["Version"] == 1
    message = refusal(writer.put_parameter, Name=f"{path}/y", Tier="Advanced", **parameters)
    assert "is not authorized to perform: kms:GenerateDataKey" in message


def test_reads_of_a_role_outside_its_permissions_are_refused(
    make_client: Callable[..., Any],
    client_of_role: ClientOfRole,  # noqa: F811
) -> None:
    """IAM user guide, "Troubleshoot access denied error messages": they name action and resource."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    s3, dynamodb = make_client("s3"), make_client("dynamodb")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"a")
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    of_s3 = refusal(client_of_role("s3", allow("s3:PutObject", "*")).get_object, Bucket=name, Key="a")
    other_table = allow("dynamodb:GetItem", f"arn:aws:dynamodb:us-east-1:111122223333:table/{name}-other")
    reader = client_of_role("dynamodb", other_table)
    of_dynamodb = refusal(reader.get_item, TableName=name, Key={"id": {"S": "a"}})
    s3.delete_object(Bucket=name, Key="a")
    s3.delete_bucket(Bucket=name)
    dynamodb.delete_table(TableName=name)
    assert of_s3.startswith("AccessDenied: User: arn:aws:sts::111122223333:assumed-role/")
    assert f's3:GetObject on resource: "arn:aws:s3:::{name}/a" because no identity-based policy' in of_s3
    assert of_dynamodb.startswith("AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/")
    table = f"arn:aws:dynamodb:us-east-1:111122223333:table/{name}"
    assert f"dynamodb:GetItem on resource: {table} because no identity-based policy" in of_dynamodb
