"""The command `workshop`, run as a reader runs it, on small notebooks."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from toy_project import Project, new_project, printed_text

LEFT_BEHIND_TIMEOUT_S = 10.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


@pytest.fixture
def local_start(project: Project) -> Iterator[subprocess.Popen[str]]:
    """`workshop local start`, running, with its first line read."""
    process = project.start("local", "start")
    assert process.stdout is not None
    assert "listens at http://127.0.0.1:" in process.stdout.readline()
    yield process
    if process.poll() is None:
        process.terminate()
    process.communicate(timeout=30)


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """What the command complains of: one line on standard error, and nothing on standard output."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("workshop: ")
    return line


def wait_until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still there after 10 s."""
    return psutil.wait_procs(processes, LEFT_BEHIND_TIMEOUT_S)[1]


def wait_for_file(path: Path, process: subprocess.Popen[str], timeout_s: float = 60.0) -> None:
    """Return when the process has written something to a file."""
    deadline = time.monotonic() + timeout_s
    while not (path.exists() and path.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{path} has no content after {timeout_s} s"
        time.sleep(0.05)


def test_list_shows_what_each_notebook_says_of_itself(project: Project) -> None:
    project.add_notebook("01_sums")
    project.add_notebook("02_queues")
    result = project.workshop("list")
    assert result.returncode == 0
    assert "01  Notebook 01 of a test\n    Services: AWS Lambda, Amazon SQS\n" in result.stdout
    assert "    Cost on AWS: $0.02\n02  Notebook 02 of a test\n" in result.stdout


def test_run_prints_a_table_and_keeps_the_notebooks_directory_clean(project: Project) -> None:
    project.add_notebook(
        "01_sums", "%%writefile handler.py\nanswer = 42", "import handler; print(handler.answer)"
    )
    project.add_notebook(
        "02_fails", "print('before')\nraise ValueError('the queue is empty\\nmore')", "print('after')"
    )
    project.add_notebook("03_passes", "print('reached')")
    result = project.workshop("run")
    assert result.returncode == 1
    header, first, second, third, problem = result.stdout.splitlines()
    assert header.split() == ["notebook", "result", "seconds", "output"]
    directory = Path("build/runs") / project.run_directory().name
    for line, name, outcome in [
        (first, "01_sums", "passed"),
        (second, "02_fails", "failed"),
        (third, "03_passes", "passed"),
    ]:
        assert line.split()[:2] == [name, outcome]
        assert 0.0 < float(line.split()[2]) < 60.0
        assert line.split()[3] == str(directory / f"{name}.ipynb")
    assert problem == "02: cell [2]: ValueError: the queue is empty"
    assert printed_text(project.root / directory / "01_sums.ipynb").endswith("42\n")
    assert printed_text(project.root / directory / "02_fails.ipynb") == "before\n"
    assert printed_text(project.root / directory / "03_passes.ipynb") == "reached\n"
    assert (project.root / directory / "01" / "handler.py").exists()
    assert sorted(path.name for path in (project.root / "notebooks").iterdir()) == [
        "01_sums.ipynb",
        "02_fails.ipynb",
        "03_passes.ipynb",
    ]


def test_run_takes_numbers_parameters_and_an_output_directory(project: Project) -> None:
    project.add_notebook("01_sums", "print('not asked for')")
    path = project.add_notebook("02_shows", "print(repr((target, samples, account, sizes)))")
    before = path.read_bytes()
    assignments = ["samples=7", "account=444455556666", "sizes=[512]"]
    options = [option for assignment in assignments for option in ("-p", assignment)]
    result = project.workshop("run", "2", "--target", "local", "--out", "elsewhere", *options)
    assert result.returncode == 0, result.stderr
    assert [entry.name for entry in (project.root / "elsewhere").glob("*.ipynb")] == ["02_shows.ipynb"]
    shown = printed_text(project.root / "elsewhere" / "02_shows.ipynb")
    assert shown == "('local', 7, '444455556666', [512])\n"
    assert path.read_bytes() == before
    assert not (project.root / "build").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "07"], "There is no notebook '07'; there are 01, 03."),
        (
            ["run", "-p", "size=3"],
            "has no parameter 'size'; its parameters are: target, samples, account, sizes.",
        ),
        (["run", "-p", "samples"], "given as name=value, not as 'samples'"),
        (["run", "-p", "samples=many"], "samples=many: expected a value of type int, such as 3."),
        (["run", "-p", "sizes=128,abc"], "sizes=128,abc: expected a value of type list, such as [128, 256]."),
        (["local", "start", "--account", "12"], "--account 12: an account id has 12 digits"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(
    project: Project, arguments: list[str], expected: str
) -> None:
    project.add_notebook("01_sums")
    project.add_notebook("03_queues")
    result = project.workshop(*arguments)
    assert result.returncode == 2
    assert expected in complaint(result)
    assert not (project.root / "build").exists()


@pytest.mark.parametrize(
    "arguments", [["run", "--target", "moon"], ["local", "start", "--port", "70000"], ["dance"]]
)
def test_options_that_do_not_exist_are_exit_code_2(project: Project, arguments: list[str]) -> None:
    result = project.workshop(*arguments)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_an_output_directory_that_cannot_be_made_is_one_line_and_exit_code_1(project: Project) -> None:
    project.add_notebook("01_sums")
    (project.root / "file").touch()
    result = project.workshop("run", "--out", "file/runs")
    assert result.returncode == 1
    assert "cannot be written to file/runs: Not a directory. Make it writable, or name another" in complaint(
        result
    )


def test_aws_without_credentials_is_refused_with_what_it_would_use_and_cost(project: Project) -> None:
    project.add_notebook("01_sums", "open('ran', 'w')")
    result = project.workshop("run", "--target", "aws")
    assert result.returncode == 1
    assert "needs credentials, and none were found" in result.stderr
    assert (
        "01 Notebook 01 of a test (Services: AWS Lambda, Amazon SQS; Time here: 3 s; Cost on AWS: $0.02)"
        in result.stderr
    )
    assert not (project.root / "build").exists()


def test_a_notebook_that_says_aws_itself_is_refused_alike(project: Project) -> None:
    project.add_notebook("01_sums", parameters='target = "aws"')
    result = project.workshop("run")
    assert result.returncode == 1
    assert "needs credentials, and none were found" in result.stderr
    assert not (project.root / "build").exists()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
            "sends AWS calls to http://127.0.0.1:4566, not to AWS",
        ),
    ],
)
def test_aws_is_refused_where_it_could_not_be_reached(
    project: Project, environment: dict[str, str], expected: str
) -> None:
    project.add_notebook("01_sums")
    keys = (
        {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        if "AWS_PROFILE" not in environment
        else {}
    )
    result = project.workshop("run", "--target", "aws", environment={**environment, **keys})
    assert result.returncode == 1
    assert expected in result.stderr
    assert not (project.root / "build").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process(project: Project, number: signal.Signals) -> None:
    """The kernel, the local AWS that a cell started, and what those started, are gone after 10 s."""
    start_and_wait = (
        "from helpers import local_aws\nrunning = local_aws.start()\nopen('ready', 'w').write('yes')"
    )
    project.add_notebook("01_waits", start_and_wait, "import time\ntime.sleep(600)")
    project.add_notebook("02_never", "print('never')")
    process = project.start("run", "--out", "out")
    wait_for_file(project.root / "out" / "01" / "ready", process)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 3, "a kernel, the local AWS and its supervisor"
    os.killpg(process.pid, number)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "")
    assert wait_until_gone(family) == []
    assert stdout.splitlines()[1].split()[:2] == ["01_waits", "interrupted"]
    assert "02_never" not in stdout


def test_a_killed_run_leaves_no_process(project: Project) -> None:
    start_and_wait = (
        "from helpers import local_aws\nrunning = local_aws.start()\nopen('ready', 'w').write('yes')"
    )
    project.add_notebook("01_waits", start_and_wait, "import time\ntime.sleep(600)")
    process = project.start("run", "--out", "out")
    wait_for_file(project.root / "out" / "01" / "ready", process)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=60)
    assert wait_until_gone(family) == []


def test_another_shell_reaches_the_local_aws(project: Project, local_start: subprocess.Popen[str]) -> None:
    """With a profile, a session token and a proxy in that shell, which must not get in the way."""
    hostile = {"AWS_PROFILE": "nobody", "AWS_SESSION_TOKEN": "old", "HTTP_PROXY": "http://127.0.0.1:9"}
    script = (
        f"eval \"$('{sys.executable}' -c 'from helpers.cli import main; main()' local env)\" && "
        f"'{sys.executable}' -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])\""
    )
    shell = subprocess.run(
        ["sh", "-c", script],
        cwd=project.root,
        env=project.environment(hostile),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shell.stdout == "arn:aws:iam::111122223333:root\n", shell.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_local_aws_is_not_found_any_more(
    project: Project, local_start: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert project.workshop("local", "env").returncode == 0
    family = psutil.Process(local_start.pid).children(recursive=True)
    assert family
    local_start.send_signal(number)
    exit_code = local_start.wait(timeout=30)
    assert exit_code == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    assert wait_until_gone(family) == []
    result = project.workshop("local", "env")
    assert result.returncode == 1
    assert "No local AWS runs" in complaint(result)


def test_of_two_the_newest_is_used(project: Project, local_start: subprocess.Popen[str]) -> None:
    newer = project.start("local", "start", "--account", "444455556666")
    try:
        assert newer.stdout is not None
        endpoint = newer.stdout.readline().split("listens at ")[1].split(";")[0]
        result = project.workshop("local", "env")
        assert f"export AWS_ENDPOINT_URL={endpoint}\n" in result.stdout
        assert "export AWS_ACCESS_KEY_ID=444455556666\n" in result.stdout
        assert "using the newest of 2" in result.stderr
    finally:
        newer.terminate()
        newer.communicate(timeout=30)


def test_a_local_aws_that_ends_by_itself_is_reported(
    project: Project, local_start: subprocess.Popen[str]
) -> None:
    (supervisor,) = psutil.Process(local_start.pid).children()
    supervisor.kill()
    _, stderr = local_start.communicate(timeout=30)
    assert local_start.returncode == 1
    assert "has stopped by itself; its log is " in stderr


def test_a_taken_port_is_refused(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = project.workshop("local", "start", "--port", str(port))
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use." in complaint(result)


def test_sweep_deletes_what_a_killed_run_left(project: Project, local_start: subprocess.Popen[str]) -> None:
    exports = project.workshop("local", "env").stdout
    endpoint = next(line.partition("=")[2] for line in exports.splitlines() if "AWS_ENDPOINT_URL" in line)
    project.add_notebook(
        "01_dies",
        "from helpers.workshop import Workshop\nws = Workshop('01')\nprint(ws.run_id)",
        "ws.client('sqs').create_queue(QueueName=ws.name('orders'))",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    )
    environment = {"WORKSHOP_ENDPOINT_URL": endpoint}
    killed = project.workshop("run", "--out", "out", environment=environment)
    assert killed.returncode == 1
    assert "01: its kernel died while a cell was running" in killed.stdout
    run_id = printed_text(project.root / "out" / "01_dies.ipynb").strip()

    swept = project.workshop("sweep", environment=environment)
    assert swept.returncode == 0, swept.stderr
    assert f"{run_id}  cleaned: 1 deleted" in swept.stdout
    assert project.workshop("sweep").stdout == "There is nothing to sweep.\n"
    unknown = project.workshop("sweep", run_id)
    assert unknown.returncode == 2
    assert run_id in complaint(unknown)
