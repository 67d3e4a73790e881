"""Lambda refuses what AWS refuses, with AWS's error codes."""

import io
import json
import os
import secrets
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.local_aws import LocalAws

MEGABYTE = 1024 * 1024


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


PACKAGE = zipped({"index.py": b"def handler(event, context):\n    return event\n"})


@pytest.fixture(scope="module")
def functions(make_client: Callable[..., Any]) -> Any:
    # What botocore would refuse by itself shall reach the service.
    return make_client("lambda", parameter_validation=False)


@pytest.fixture
def create(functions: Any, lambda_role: str) -> Callable[..., Any]:
    """Create a function; keyword arguments replace or add parameters, None leaves one out."""

    def call(**changes: Any) -> Any:
        request: dict[str, Any] = {
            "FunctionName": f"validated-{secrets.token_hex(4)}",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": lambda_role,
            "Code": {"ZipFile": PACKAGE},
        }
        request.update(changes)
        return functions.create_function(
            **{name: value for name, value in request.items() if value is not None}
        )

    return call


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_unknown_runtime_is_refused_with_the_names_that_there_are(create: Callable[..., Any]) -> None:
    """API reference, "CreateFunction": Runtime; developer guide, "Lambda runtimes"."""
    code, message = refusal(create, Runtime="python9.9")
    assert code == "InvalidParameterValueException"
    assert message.startswith(
        "Value python9.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    )
    assert "python3.14" in message
    assert message.endswith("] or be a valid ARN")


@pytest.mark.parametrize(
    ("runtime", "successor"),
    [("nodejs16.x", "nodejs24.x"), ("python3.8", "python3.14"), ("go1.x", "provided.al2023")],
)
def test_retired_runtime_is_refused(create: Callable[..., Any], runtime: str, successor: str) -> None:
    """Developer guide, "Lambda runtimes", runtime use after deprecation: creating is blocked."""
    code, message = refusal(create, Runtime=runtime)
    assert code == "InvalidParameterValueException"
    assert f"The runtime parameter of {runtime} is no longer supported for creating or updating" in message
    assert f"({successor})" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"Runtime": "dotnet8"},
        {"PackageType": "Image", "Code": {"ImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/a:1"}},
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
        {"KMSKeyArn": f"arn:aws:kms:us-east-1:111122223333:key/{'0' * 8}-0000-0000-0000-{'0' * 12}"},
        {
            "FileSystemConfigs": [
                {
                    "Arn": f"arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-{'0' * 17}",
                    "LocalMountPath": "/mnt/data",
                }
            ]
        },
        {"Layers": ["arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:53"]},
    ],
)
def test_what_the_local_aws_cannot_do_is_refused_by_name(
    create: Callable[..., Any], changes: dict[str, Any]
) -> None:
    code, message = refusal(create, **changes)
    assert code == "NotImplementedException"
    assert message.startswith("The local AWS cannot do this: ")


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"MemorySize": 127}, "greater than or equal to 128"),
        ({"MemorySize": 10241}, "less than or equal to 10240"),
        ({"Timeout": 0}, "greater than or equal to 1"),
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"EphemeralStorage": {"Size": 511}}, "greater than or equal to 512"),
        ({"EphemeralStorage": {"Size": 10241}}, "less than or equal to 10240"),
        ({"Architectures": ["sparc"]}, "enum value set: [x86_64, arm64]"),
        ({"Architectures": ["x86_64", "arm64"]}, "length less than or equal to 1"),
        ({"Handler": "two words"}, "regular expression pattern"),
        ({"FunctionName": "a" * 65}, "length less than or equal to 64"),
        ({"Description": "a" * 257}, "length less than or equal to 256"),
        ({"Role": "not-an-arn"}, "regular expression pattern"),
        ({"Environment": {"Variables": {"1st": "x"}}}, "regular expression pattern"),
    ],
)
def test_values_outside_the_model_or_the_quotas_are_refused(
    create: Callable[..., Any], changes: dict[str, Any], constraint: str
) -> None:
    """API reference, "CreateFunction", constraints of the parameters; "Lambda quotas"."""
    code, message = refusal(create, **changes)
    assert code in ("ValidationException", "InvalidParameterValueException")
    assert constraint in message


def test_the_limits_themselves_are_accepted(create: Callable[..., Any]) -> None:
    """Developer guide, "Lambda quotas"."""
    created = create(
        MemorySize=10240,
        Timeout=900,
        EphemeralStorage={"Size": 10240},
        Environment={"Variables": {"LARGE": "x" * 4080}},
    )
    assert (created["MemorySize"], created["Timeout"]) == (10240, 900)


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_a_zip_function_needs_runtime_and_handler(create: Callable[..., Any], missing: str) -> None:
    code, message = refusal(create, **{missing: None})
    assert code == "InvalidParameterValueException"
    assert message.startswith("Runtime and Handler are mandatory parameters")


def test_variables_over_4_kb_are_refused(create: Callable[..., Any]) -> None:
    """Developer guide, "Lambda quotas": 4 KB, for all environment variables in aggregate."""
    code, message = refusal(create, Environment={"Variables": {"ONE": "x" * 2000, "TWO": "y" * 2100}})
    assert code == "InvalidParameterValueException"
    assert "exceeded the 4KB limit. String measured: {" in message


def test_reserved_variables_are_refused_by_name(create: Callable[..., Any]) -> None:
    """Developer guide, "Defined runtime environment variables": reserved variables."""
    code, message = refusal(create, Environment={"Variables": {"AWS_REGION": "eu-west-1", "MODE": "test"}})
    assert code == "InvalidParameterValueException"
    assert message.endswith("Reserved keys used in this request: AWS_REGION")


def test_a_package_that_is_no_zip_is_refused(create: Callable[..., Any]) -> None:
    damaged = bytearray(PACKAGE)
    damaged[35:40] = b"\0\0\0\0\0"
    for content in (b"no zip at all", PACKAGE[: len(PACKAGE) // 2], bytes(damaged)):
        code, message = refusal(create, Code={"ZipFile": content})
        assert code == "InvalidParameterValueException"
        assert message == "Could not unzip uploaded file. Please check your file, then try to upload again."


def test_an_empty_package_is_refused(create: Callable[..., Any]) -> None:
    code, message = refusal(create, Code={"ZipFile": zipped({})})
    assert (code, message) == ("InvalidParameterValueException", "Uploaded file must be a non-empty zip")


def test_a_zip_over_50_mb_is_refused_in_a_request(create: Callable[..., Any]) -> None:
    """Developer guide, "Lambda quotas": 50 MB, zipped, for direct upload."""
    large = zipped({"data": os.urandom(51 * MEGABYTE)}, zipfile.ZIP_STORED)
    code, message = refusal(create, Code={"ZipFile": large})
    assert code == "RequestEntityTooLargeException"
    assert message == "Request must be smaller than 70167211 bytes for the CreateFunction operation"


def test_250_mb_unzipped_count_code_and_layers_together(functions: Any, create: Callable[..., Any]) -> None:
    """Developer guide, "Lambda quotas": 250 MB, the contents including layers, unzipped."""
    code, message = refusal(create, Code={"ZipFile": zipped({"zeros": bytes(251 * MEGABYTE)})})
    assert (code, message) == (
        "InvalidParameterValueException",
        "Unzipped size must be smaller than 262144000 bytes",
    )
    half = zipped({"zeros": bytes(126 * MEGABYTE)})
    layer = functions.publish_layer_version(LayerName="half-of-the-quota", Content={"ZipFile": half})
    code, message = refusal(create, Code={"ZipFile": half}, Layers=[layer["LayerVersionArn"]])
    assert code == "InvalidParameterValueException"
    assert message.startswith(
        "Function code combined with layers exceeds the maximum allowed size of 262144000"
    )


def test_a_refused_layer_leaves_no_version_behind(functions: Any) -> None:
    """API reference, "PublishLayerVersion": version numbers count what was published."""
    refusal(functions.publish_layer_version, LayerName="refused-first", Content={"ZipFile": b"no zip"})
    published = functions.publish_layer_version(LayerName="refused-first", Content={"ZipFile": PACKAGE})
    assert published["Version"] == 1


def test_at_most_five_layers_and_one_version_of_each(functions: Any, create: Callable[..., Any]) -> None:
    """Developer guide, "Lambda quotas": five layers for a function."""
    arns = [
        functions.publish_layer_version(LayerName=f"layer-{number}", Content={"ZipFile": PACKAGE})[
            "LayerVersionArn"
        ]
        for number in range(6)
    ]
    code, message = refusal(create, Layers=arns)
    assert (code, message) == ("InvalidParameterValueException", "Cannot reference more than 5 layers.")
    second = functions.publish_layer_version(LayerName="layer-0", Content={"ZipFile": PACKAGE})
    code, message = refusal(create, Layers=[arns[0], second["LayerVersionArn"]])
    assert code == "InvalidParameterValueException"
    assert message.startswith("Two different versions of the same layer are not allowed")


def test_code_that_is_not_in_the_bucket_is_refused(
    create: Callable[..., Any], make_client: Callable[..., Any]
) -> None:
    bucket = f"code-{secrets.token_hex(4)}"
    code, message = refusal(create, Code={"S3Bucket": bucket, "S3Key": "missing.zip"})
    assert code == "InvalidParameterValueException"
    assert "S3 Error Code: NoSuchBucket." in message
    make_client("s3").create_bucket(Bucket=bucket)
    code, message = refusal(create, Code={"S3Bucket": bucket, "S3Key": "missing.zip"})
    assert "S3 Error Code: NoSuchKey." in message
    assert refusal(create, Code={})[1] == "Please provide a source for function code."


def test_the_role_must_exist_and_trust_lambda(
    create: Callable[..., Any], make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Defining Lambda function permissions with an execution role"."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = make_client("iam").create_role(
        RoleName=f"for-ec2-{secrets.token_hex(4)}", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    for unusable in (role, "arn:aws:iam::111122223333:role/does-not-exist"):
        code, message = refusal(create, Role=unusable)
        assert code == "InvalidParameterValueException"
        assert message == "The role defined for the function cannot be assumed by Lambda."


def test_the_caller_must_be_allowed_to_pass_the_role(
    make_client: Callable[..., Any], lambda_role: str, local_aws: LocalAws
) -> None:
    """Developer guide, "Granting a user permissions to pass a role": iam:PassRole."""
    iam = make_client("iam")
    user = f"deployer-{secrets.token_hex(4)}"
    iam.create_user(UserName=user)
    allowed = {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName=user, PolicyName="create", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client = boto3.client(
        "lambda",
        region_name="us-east-1",
        endpoint_url=local_aws.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    request: dict[str, Any] = {
        "FunctionName": user,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": lambda_role,
        "Code": {"ZipFile": PACKAGE},
    }
    code, message = refusal(client.create_function, **request)
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {lambda_role}" in message
    policy["Statement"].append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": lambda_role})
    iam.put_user_policy(UserName=user, PolicyName="create", PolicyDocument=json.dumps(policy))
    assert client.create_function(**request)["FunctionName"] == user


def test_updates_are_held_to_the_same_rules(functions: Any, create: Callable[..., Any]) -> None:
    """API reference, "UpdateFunctionConfiguration" and "UpdateFunctionCode"."""
    name = create()["FunctionName"]
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    for change in (
        {"MemorySize": 10241},
        {"Runtime": "nodejs16.x"},
        {"Environment": {"Variables": {"AWS_LAMBDA_RUNTIME_API": "x"}}},
        {"Role": "arn:aws:iam::111122223333:role/does-not-exist"},
    ):
        code, _ = refusal(functions.update_function_configuration, FunctionName=name, **change)
        assert code == "InvalidParameterValueException"
    code, _ = refusal(functions.update_function_code, FunctionName=name, ZipFile=b"no zip")
    assert code == "InvalidParameterValueException"
    configuration = functions.get_function_configuration(FunctionName=name)
    assert (configuration["MemorySize"], configuration["Runtime"]) == (128, "python3.12")


def test_reserving_leaves_100_units_to_the_other_functions(
    functions: Any, create: Callable[..., Any]
) -> None:
    """Developer guide, "Configuring reserved concurrency for a function"."""
    name = create()["FunctionName"]
    code, message = refusal(
        functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=901
    )
    assert code == "InvalidParameterValueException"
    assert "below its minimum value of [100]" in message
    limit = functions.get_account_settings()["AccountLimit"]
    assert limit["ConcurrentExecutions"] == 1000
    answer = functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert answer["ReservedConcurrentExecutions"] == 0


def test_tags_may_use_letters_of_any_script(deploy: Any) -> None:
    """Lambda API reference, "CreateFunction": the pattern of a tag names Unicode classes."""
    function = deploy("def handler(event, context):\n    return None", Tags={"größe": "klein @ 1/2"})
    tags = function.client.get_function(FunctionName=function.name)["Tags"]
    assert tags == {"größe": "klein @ 1/2"}
