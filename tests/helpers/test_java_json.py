"""The JSON that Java functions of the workshop are compiled with: RFC 8259, there and back."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers import java

SOURCES = sorted((Path(__file__).parents[2] / "data" / "java").glob("*.java"))
# Reads one document a line, and writes each again or why it is none.
PROGRAM = """
package example;

import java.io.*;
import java.nio.charset.StandardCharsets;

public final class Echo {
    public static void main(String[] arguments) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try {
                output.println(Json.write(Json.parse(line)));
            } catch (IllegalArgumentException refused) {
                output.println("refused: " + refused.getMessage());
            }
        }
        output.flush();
    }
}
"""


class Echo:
    """A JDK, and where the compiled program is."""

    def __init__(self, directory: Path) -> None:
        self._jdk = java.find()
        self._classes = directory / "classes"
        (directory / "Echo.java").write_text(PROGRAM)
        options = ["-Xlint:all", "-Werror", "--release", "17", "-encoding", "UTF-8", "-d", self._classes]
        subprocess.run([self._jdk.tool("javac"), *options, directory / "Echo.java", *SOURCES], check=True)

    def __call__(self, *documents: str) -> list[str]:
        ended = subprocess.run(
            [self._jdk.tool("java"), "-cp", self._classes, "example.Echo"],
            input="\n".join(documents).encode(),
            capture_output=True,
            check=True,
            env={name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"},
        )
        return ended.stdout.decode().removesuffix("\n").split("\n")


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    try:
        return Echo(tmp_path_factory.mktemp("json"))
    except java.JdkMissing as missing:
        pytest.skip(str(missing))


def test_documents_come_back_as_they_were(echo: Echo) -> None:
    documents: list[Any] = [
        {"headers": {"Host": "example.com", "x-quoted": 'a "b" \\ c'}, "multi": [["a", "b"], [], {}]},
        {"true": True, "false": False, "null": None, "": ""},
        [0, -1, 12345678901234567890123, 0.1, -2.5e-7, 1e100],
        "controls \b\f\n\r\t\x00\x1f, and beyond: äö€😀\u2028",
        "",
        None,
        True,
        7,
    ]
    assert [json.loads(line) for line in echo(*map(json.dumps, documents))] == documents


def test_text_beyond_ascii_and_escapes_are_read(echo: Echo) -> None:
    documents = ['"äö€😀"', r'"\u00e4\ud83d\ude00\/\u0022"', ' {\t"a" : [ 1 , 2 ] } ']
    expected = ["äö€😀", 'ä😀/"', {"a": [1, 2]}]
    assert [json.loads(line) for line in echo(*documents)] == expected


def test_numbers_keep_their_digits_and_members_their_order(echo: Echo) -> None:
    document = '{"z":1.10,"a":100000000000000000000.01}'
    assert echo(document) == [document]


def test_what_is_no_json_is_refused(echo: Echo) -> None:
    documents = [
        *["nothing", '{"a":1,}', '{"a" 1}', "{a:1}", "[1 2]", "[1,]", "[1", '"open', '{"a":', "1 2", ""],
        *["01", "1.", ".5", "+1", "-", "1e", "--1", "0x1", "NaN"],
        *[r'"\x"', r'"\u12g4"', '"tab\t"'],
    ]
    accepted = [
        document
        for document, answer in zip(documents, echo(*documents), strict=True)
        if not answer.startswith("refused: Invalid JSON at ")
    ]
    assert accepted == []
