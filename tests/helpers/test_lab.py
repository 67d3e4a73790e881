"""JupyterLab as `workshop lab` opens it: on 127.0.0.1 only, and silent towards the internet."""

import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from toy_project import new_project

TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    """The address of a running JupyterLab, and its process."""
    project = new_project(tmp_path_factory.mktemp("lab"))
    project.add_notebook("01_sums")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    process = project.start(
        "lab", "--no-browser", f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_answer(f"{address}/api?token={TOKEN}")
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        text: str = response.read().decode()
    return text


def wait_for_answer(url: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            read(url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def test_it_listens_on_the_loopback_address_only(lab: tuple[str, psutil.Process]) -> None:
    _, process = lab
    listening = [
        connection.laddr.ip
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_it_shows_the_notebooks(lab: tuple[str, psutil.Process]) -> None:
    address, _ = lab
    listing = json.loads(read(f"{address}/api/contents/notebooks?token={TOKEN}"))
    assert [entry["name"] for entry in listing["content"]] == ["01_sums.ipynb"]


def test_it_fetches_no_news_and_looks_for_no_update(lab: tuple[str, psutil.Process]) -> None:
    """JupyterLab's documentation, "Announcements": what its page configuration says of news."""
    address, _ = lab
    page = read(f"{address}/lab?token={TOKEN}")
    configuration = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert configuration["news"] == {"disabled": True}
    assert json.loads(read(f"{address}/lab/api/update?token={TOKEN}")) == {"notification": None}
    assert json.loads(read(f"{address}/lab/api/news?token={TOKEN}")) == {"news": []}
    # The list of extensions that a package index offers is not asked for either.
    assert configuration["extensionManager"]["can_install"] is False
