"""The bucket to which a task exports, which CloudWatch Logs may only use as the bucket's policy lets it.

AWS: CloudWatch Logs user guide, "Exporting log data to Amazon S3", steps "Set up access permissions" and
"Set permissions on an S3 bucket".
"""

from dataclasses import dataclass

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import s3

from helpers.local import contract

WRITE_TEST = "aws-logs-write-test"
_WRITE_TEST_CONTENT = b"Permission Check Successful"
# CloudWatch Logs gives what it writes to the owner of the bucket, which policies may insist on.
_ACL = "bucket-owner-full-control"

_policies = contract.expect(s3, "_bucket_policies")
_owner_of = contract.expect(s3, "_bucket_owner_account", ("name",))
_buckets = contract.expect(s3, "_buckets")


class DestinationRefused(Exception):
    """CloudWatch Logs cannot use the bucket. The message is the one that AWS gives."""


@dataclass(frozen=True)
class Destination:
    """A bucket, and the log group of `account_id` and `region` that is exported to it."""

    bucket: str
    prefix: str
    log_group: str
    account_id: str
    region: str

    async def check(self, access_key_id: str) -> None:
        """Write the test object, if CloudWatch Logs and the caller may. Raises DestinationRefused."""
        owner = _owner_of(self.bucket)
        if owner is None or not self._service_may("s3:GetBucketAcl", self._arn):
            raise _refused("GetBucketAcl")
        home = (_buckets.get_scoped(owner, None, self.bucket) or {}).get("region", "us-east-1")
        if home != self.region:
            raise DestinationRefused(
                f"The bucket {self.bucket} is in {home}: CloudWatch Logs exports to buckets in the same "
                f"Region as the log group only, which is {self.region}."
            )
        if not self._caller_may_put(access_key_id, owner):
            raise DestinationRefused(
                "Please ensure that the CreateExportTask caller has been granted s3:PutObject access to "
                "the bucket."
            )
        await self.put(f"{self.prefix}/{WRITE_TEST}", _WRITE_TEST_CONTENT)

    async def put(self, key: str, content: bytes) -> None:
        """Raises DestinationRefused."""
        if not self._service_may("s3:PutObject", f"{self._arn}/{key}"):
            raise _refused("PutObject")
        headers = {"host": "localhost", "content-length": str(len(content)), "x-amz-acl": _ACL}
        # In the owner's name: that the policy lets CloudWatch Logs write was just found.
        with request_scope(_owner_of(self.bucket), self.region):
            status, _, answer = await s3.handle_request(
                "PUT", f"/{self.bucket}/{key}", headers, content, {}, internal=True
            )
        if status >= 300:
            raise DestinationRefused(f"PutObject answered {status}: {answer.decode(errors='replace')}")

    @property
    def _arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}"

    def _service_may(self, action: str, resource_arn: str) -> bool:
        if not app.AUTH:
            return True
        source_arn = f"arn:aws:logs:{self.region}:{self.account_id}:log-group:{self.log_group}:*"
        context = iam_evaluator.EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=resource_arn,
            region=self.region,
            service_context={
                "aws:sourcearn": source_arn,
                "aws:sourceaccount": self.account_id,
                "s3:x-amz-acl": _ACL,
            },
        )
        service = f"logs.{self.region}.amazonaws.com"
        decision = iam_evaluator.evaluate_resource_policy(self._policy(), context, service=service)
        return bool(decision.decision == "Allow")

    def _caller_may_put(self, access_key_id: str, owner: str) -> bool:
        """Whether the caller of CreateExportTask may itself write to the bucket."""
        if not app.AUTH:
            return True
        caller = iam_evaluator.resolve_principal(access_key_id, self.account_id)
        if isinstance(caller, iam_evaluator.AuthError):
            return False
        context = iam_evaluator.EvalContext(
            principal_arn=caller.arn,
            principal_type=caller.type,
            principal_account=caller.account,
            action="s3:PutObject",
            resource_arn=f"{self._arn}/{self.prefix}/{WRITE_TEST}",
            region=self.region,
            service_context={"s3:x-amz-acl": _ACL},
            principal_keys=caller.keys,
        )
        own = (
            # A root user.
            iam_evaluator.EvalResult("Allow")
            if caller.policies is None
            else iam_evaluator.evaluate(context, caller.policies, *caller.limits)
        )
        decision = iam_evaluator.combine_resource_policy(own, context, self._policy(), owner)
        return bool(decision.decision == "Allow")

    def _policy(self) -> str:
        owner = _owner_of(self.bucket)
        return str(_policies.get_scoped(owner, None, self.bucket) or "") if owner else ""


def _refused(call: str) -> DestinationRefused:
    return DestinationRefused(
        f"{call} call on the given bucket failed. Please check if CloudWatch Logs has been granted "
        "permission to perform this operation."
    )
