"""Package installed Python distributions for Lambda, as functions.package packages files."""

from collections import deque
from collections.abc import Iterable, Iterator
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from helpers.functions import PLAIN_FILE, zipped

# Lambda's Python runtimes include the AWS SDK for Python and its dependencies, of one version with each other
# (Lambda developer guide, "Working with .zip file archives for Python Lambda functions").
SDK = "boto3"
# Requirements are those of a function, whatever the system of this machine.
LAMBDA_SYSTEM = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"}
COMPILED_SUFFIXES = (".so", ".pyd", ".dylib")
CACHED_SUFFIX = ".pyc"
# Written by whatever installed the distribution; they differ from machine to machine.
INSTALLERS_FILES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})


class NotPackaged(ValueError):
    """A distribution is not installed or would not run on Lambda; the message says what to do."""


def package_distributions(*requirements: str, prefix: str = "") -> bytes:
    """A zip of installed distributions and of what they require, for a layer or beside a function's code.

    `requirements` are names, with extras where they are needed. What they require is what their metadata asks
    for on Linux and this Python's version. The content of a layer:

        package_distributions("aws-lambda-powertools", prefix="python/")

    Left out is what Lambda's Python runtimes have: boto3 and all that it requires (botocore, jmespath,
    python-dateutil, s3transfer, six, urllib3). A copy of some of them would not fit the runtime's others once
    AWS updates those. Where one of them is named in `requirements`, all that are required are packaged.

    The same installed versions always give the same bytes. Raises NotPackaged for a distribution that is not
    installed, not in the version that is required, installed in editable mode, or that has modules compiled
    for this machine.
    """
    if not requirements:
        raise NotPackaged("Nothing to package: give names of installed distributions.")
    wanted = _with_requirements(requirements)
    of_runtime = _with_requirements([SDK])
    named = {canonicalize_name(_parsed(requirement).name) for requirement in requirements}
    if not named & of_runtime.keys():
        wanted = {name: found for name, found in wanted.items() if name not in of_runtime}
    contents = {}
    for distribution in wanted.values():
        for name, content in _files(distribution):
            contents[prefix + name] = content, PLAIN_FILE
    return zipped(contents)


def _with_requirements(requirements: Iterable[str]) -> dict[str, metadata.Distribution]:
    """Distributions by name: those that are asked for, and all that they require."""
    found: dict[str, metadata.Distribution] = {}
    open_requirements = deque(_parsed(requirement) for requirement in requirements)
    seen = set()
    while open_requirements:
        requirement = open_requirements.popleft()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        distribution = _installed(requirement)
        found[canonicalize_name(requirement.name)] = distribution
        open_requirements.extend(_required_by(distribution, requirement.extras))
    return found


def _required_by(distribution: metadata.Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    for text in distribution.requires or []:
        requirement = _parsed(text)
        marker = requirement.marker
        if marker is None or any(
            marker.evaluate({**LAMBDA_SYSTEM, "extra": extra}) for extra in ("", *extras)
        ):
            yield requirement


def _parsed(requirement: str) -> Requirement:
    try:
        return Requirement(requirement)
    except InvalidRequirement as error:
        raise NotPackaged(
            f"{requirement!r} names no distribution, such as 'aws-lambda-powertools'."
        ) from error


def _installed(requirement: Requirement) -> metadata.Distribution:
    try:
        distribution = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError as error:
        raise NotPackaged(
            f"{requirement.name} is not installed: add it to pyproject.toml and run `make lock`."
        ) from error
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        raise NotPackaged(
            f"{requirement.name} {distribution.version} is installed, and {requirement} is required: "
            "install a version that fits."
        )
    return distribution


def _files(distribution: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """The files that Python imports or reads, by the names that they have beside a function's code."""
    has_modules = False
    for file in distribution.files or []:
        # Scripts lie outside of the directory of packages; caches are made for one Python.
        if ".." in file.parts or file.suffix == CACHED_SUFFIX:
            continue
        if file.suffix in COMPILED_SUFFIXES:
            raise NotPackaged(
                f"{distribution.name} has modules compiled for this machine, such as {file.name}. Take "
                "those for Lambda: `pip install --platform manylinux2014_x86_64 --only-binary=:all: --target "
                f"package {distribution.name}`, then functions.package('package')."
            )
        in_metadata = file.parts[0].endswith((".dist-info", ".egg-info"))
        if in_metadata and file.name in INSTALLERS_FILES:
            continue
        has_modules = has_modules or not (in_metadata or file.suffix == ".pth")
        yield file.as_posix(), file.read_binary()
    if not has_modules:
        raise NotPackaged(
            f"{distribution.name} has no modules among its installed files. If it is installed in editable "
            "mode, give its source directory to functions.package."
        )
