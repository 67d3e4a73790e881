"""Mapping templates are evaluated as API Gateway evaluates them.

API Gateway developer guide, "Mapping template transformations for REST APIs in API Gateway",
"Variables for data transformations for API Gateway", "Examples using variables for mapping template
transformations for API Gateway"; Apache Velocity user guide 1.7; S. Goessner, "JSONPath".
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_apis import Answer, RestApi

from helpers.local_aws import LocalAws

# The request template keeps what the template under test makes of the payload, the response prints it.
REQUEST = """#define($rendered)%s#end
#set($context.requestOverride.header.rendered = "$rendered")
{"statusCode": 200}"""
RESPONSE = Answer(template="$context.requestOverride.header.rendered")
PETS = {
    "pets": [
        {"id": 1, "type": "dog", "price": 249.99, "tags": ["big", "old"]},
        {"id": 2, "type": "cat", "price": 124.99},
        {"id": 3, "type": "fish", "price": 0.99},
    ],
    "owner": {"name": "Ann O'Neil", "age": None},
    "first name": "Ann",
    "empty": [],
}
ALL_PARAMETERS = """#set($all = $input.params())
#foreach($place in $all.keySet())#set($named = $all.get($place))
#foreach($name in $named.keySet())$place.$name=$util.escapeJavaScript($named.get($name)) #end
#end"""


@pytest.fixture(scope="module")
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


@pytest.fixture(scope="module")
def render(api: RestApi) -> Callable[..., str]:
    """`render(template, payload)`: what the template makes of the request."""
    method = api.method("/pets/{id}", "POST", ("path.id", "querystring.q", "header.x-shop"))

    def call(template: str, payload: Any = PETS, path: str = "/pets/7", **headers: str) -> str:
        templates = dict.fromkeys(["application/json", "text/plain"], REQUEST % template)
        api.integrate(method, RESPONSE, variables={"table": "pets"}, type="MOCK", requestTemplates=templates)
        reply = api.call("POST", path, payload, **headers)
        assert reply.status == 200, reply.text
        return reply.text

    return call


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("$input.body", json.dumps(PETS)),
        ("$input.json('$.pets[1]')", '{"id":2,"type":"cat","price":124.99}'),
        ("$input.json('$.owner.name')", '"Ann O\'Neil"'),
        ("$input.json('$.owner.age')", "null"),
        ("$input.json('$.missing')", '""'),
        ("$input.path('$.pets[2].type')", "fish"),
        ("[$input.path('$.missing')]", "[]"),
        ("$input.path('$').owner", "{name=Ann O'Neil, age=null}"),
        ("$input.path('$.pets[0].tags')", '["big","old"]'),
        ("$input.path('$.pets').size() $input.path('$.pets').count()", "3 3"),
        ("$input.path('$.pets')[0].tags[1]", "old"),
        ("$input.path('$.pets').get(1).price", "124.99"),
        ("""$input.path("$['first name']")""", "Ann"),
        ("$input.json('$.pets[*].id')", "[1,2,3]"),
        ("$input.json('$..price')", "[249.99,124.99,0.99]"),
        ("$input.json('$.pets[?(@.price < 200)].type')", '["cat","fish"]'),
        ("""$input.json("$.pets[?(@.type == 'dog' || @.id == 3)].id")""", "[1,3]"),
        ("$input.json('$.pets[-1:].id') $input.json('$.pets[0,2].id')", "[3] [1,3]"),
    ],
)
def test_input_reaches_into_the_payload(render: Callable[..., str], template: str, rendered: str) -> None:
    assert render(template) == rendered


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("$input.params('id')", "7"),
        ("$input.params('q') $input.params('none').", "b ."),
        ("$input.params('X-Shop')", "north"),
        ("$input.params().querystring.q $input.params().path.get('id')", "b 7"),
        ("$input.params().header.get('X-Shop')", "north"),
        ("$stageVariables.table $stageVariables.get('table') $stageVariables.none.", "pets pets ."),
    ],
)
def test_input_has_the_parameters_of_the_request(
    render: Callable[..., str], template: str, rendered: str
) -> None:
    """Path before query string before header; of several values the last."""
    assert render(template, path="/pets/7?q=a&q=b&id=8", x_shop="north") == rendered


def test_all_parameters_can_be_passed_on(render: Callable[..., str]) -> None:
    """ "Examples using variables ...", example 2."""
    words = render(ALL_PARAMETERS, path="/pets/7?q=it%27s", x_shop="north/south").split()
    assert {"path.id=7", "querystring.q=it\\'s", "header.x-shop=north\\/south"} <= set(words)


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        (r"""$util.escapeJavaScript($input.path('$.text'))""", r"\"it\'s\"\n\/ \u00F6\uD83D\uDE00"),
        (
            r"""$util.escapeJavaScript($input.path('$.text')).replaceAll("\\'","'")""",
            r"\"it's\"\n\/ \u00F6\uD83D\uDE00",
        ),
        ("$util.parseJson($input.path('$.json')).a[1]", "2"),
        ("$util.urlEncode('a b&c~*/')", "a+b%26c%7E*%2F"),
        ("$util.urlDecode('a+b%26c')", "a b&c"),
        ("$util.base64Encode('hé')", "aMOp"),
        ("$util.base64Decode('aMOp')", "hé"),
    ],
)
def test_util_encodes_and_decodes(render: Callable[..., str], template: str, rendered: str) -> None:
    assert render(template, {"text": '"it\'s"\n/ ö😀', "json": '{"a": [1, 2]}'}) == rendered


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("#if($n == 3)three#elseif($n == 2)two#{else}other#end", "two"),
        ("#if($n > 1 && $n < 3)yes#end#if($n >= 3 || !($n == 2))no#end", "yes"),
        ("#if($n == '2')same#end#if($n == 2.0)same#end", "samesame"),
        (
            "#foreach($x in [1..3])$foreach.index:$foreach.count:$x#if($foreach.hasNext),#end#end",
            "0:1:1,1:2:2,2:3:3",
        ),
        ("#foreach($x in [5..1])#if($x == 3)#break#end$x#end", "54"),
        ("#foreach($value in $map)$value#end#foreach($key in $map.keySet())$key#end", "12ab"),
        ("#foreach($e in $map.entrySet())$e.key=$e.value;#end", "a=1;b=2;"),
        ("#foreach($x in $none)never#end.", "."),
        ("#set($map.c = 3)#set($old = $map.put('a', 9))$map $old $map.size()", "{a=9, b=2, c=3} 1 3"),
        ("#set($list = ['x', 'y'])#set($ok = $list.add('z'))$list $list.contains('z')", "[x, y, z] true"),
        ("#set($x = 7 / 2)#set($y = -7 % 3)#set($z = 'n' + 1)$x $y $z", "3 -1 n1"),
        ("#set($Integer = 0)#set($n = $Integer.parseInt('41') + 1)$n", "42"),
        ("${n}nd $!n $!none.", "2nd 2 ."),
        ("a ## comment\n#* another *#b", "a b"),
        ("$s.toUpperCase() $s.substring(0, 4) $s.length() $s.split('-').size()", "SOME-TEXT some 9 2"),
        ("$s.replaceAll('(.)-(.)', '$2-$1') $s.indexOf('z') $s.equals('x')", "somt-eext -1 false"),
        ("costs $5 #1", "costs $5 #1"),
        ("#foreach($x in [1, 2])#foreach($y in [3, 4])#set($last = $x * $y)#end#end$last [$x]", "8 []"),
        ("#set($list = [])$list.empty $s.empty [$map.empty]", "true false []"),
        ("#set($rows = [[1, 2], [3, 4]])$rows[1][0] $rows[$map.a][$map.a] [$rows[7][0]]", "3 4 []"),
        ("#set($deep = {'x': {'y': 1}})$deep['x']['y'] [$deep['x']['z']] [$deep['z'].y]", "1 [] []"),
        ("#{set}($n = 5)#{if}($n == 4)four#{elseif}($n == 5)five#{else}other#{end}", "five"),
        ("#foreach($x in [1..1000])#if($foreach.last)$x#end#end", "1000"),
    ],
)
def test_the_language_is_velocity(render: Callable[..., str], template: str, rendered: str) -> None:
    given = "#set($n = 2)#set($map = {'a': 1, 'b': 2})#set($s = 'some-text')"
    assert render(given + template) == rendered


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("$none", True),
        ("!$none", False),
        ("$none == ''", True),
        ("$none && $none != ''", False),
        ("$input.path('$.owner').name && $input.path('$.owner').name != ''", True),
        ("$input.path('$.owner').age == ''", True),
        ("$none.size() > 0", False),
        ("''", True),
        ("0", True),
        ("true || false && false", True),
        ("1 + 2 * 3 == 9 - 2 && 7 > 6", True),
        ("$input.path('$.empty').size() > 0 && $input.path('$.empty').get(0) == 'a'", False),
        ("$none == '' || $none.get(0) == $input.path('no JSONPath')", True),
        ("$input.path('$.empty')", True),
        ("false", False),
    ],
)
def test_only_false_is_false_and_what_is_undefined_is_an_empty_string(
    render: Callable[..., str], condition: str, holds: bool
) -> None:
    """Velocity 1.7 user guide, "Conditionals". That an undefined reference is true in API Gateway was
    observed there: it is why templates compare with an empty string."""
    assert render(f"#if({condition})yes#{{else}}no#end") == ("yes" if holds else "no")


def test_a_payload_that_is_no_json_is_one_string(render: Callable[..., str]) -> None:
    assert render("$input.json('$')", b"name=Ann&age=3", Content_Type="text/plain") == '"name=Ann&age=3"'
    assert render("$input.json('$') $input.body [$input.path('$.x')]", b"") == "{} {} []"


def test_context_describes_the_request(api: RestApi) -> None:
    """ "Variables for data transformations ...", context variables."""
    names = [
        *("accountId", "apiId", "deploymentId", "httpMethod", "identity.sourceIp", "identity.userAgent"),
        *("path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "resourceId", "resourcePath"),
        *("stage", "authorizer.principalId", "identity.userArn"),
    ]
    members = ",".join(f'"{name}": "$context.{name}"' for name in names)
    api.mock("/context/{id}", '{"statusCode": 200}', Answer(template=f"{{{members}}}"))
    reply = api.call("GET", "/context/7?q=1", User_Agent="tester")
    context = reply.document
    deployment = api.client.get_stage(restApiId=api.id, stageName="test")["deploymentId"]
    resources = api.client.get_resources(restApiId=api.id)["items"]
    assert {
        "accountId": "111122223333",
        "apiId": api.id,
        "deploymentId": deployment,
        "httpMethod": "GET",
        "identity.sourceIp": "127.0.0.1",
        "identity.userAgent": "tester",
        "path": "/test/context/7",
        "protocol": "HTTP/1.1",
        "requestId": reply.headers["x-amzn-requestid"],
        "resourceId": next(each["id"] for each in resources if each["path"] == "/context/{id}"),
        "resourcePath": "/context/{id}",
        "stage": "test",
        "authorizer.principalId": "",
        "identity.userArn": "",
    }.items() <= context.items()
    assert re.fullmatch(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
    assert int(context["requestTimeEpoch"]) > 1_700_000_000_000


@pytest.mark.parametrize(
    "template",
    [
        "#if($x)never closed",
        "#set($x = )",
        "#macro(shout $x)$x!#end#shout('a')",
        "#parse('other')",
        "#set($text = 'some')$text.noSuchMethod()",
        "$input.path('no JSONPath')",
        "$util.parseJson('no JSON')",
        "#set($none.member = 1)",
        "#if($x not $y)neither#end",
        "#foreach($x in [1..1001])$x#end",
        "#set($override = $context.responseOverride)#set($override.status = 200)#set($override.status = 201)",
        "#set($header = $context.responseOverride.header)#set($header.a = 1)#set($header.a = 2)",
    ],
)
def test_a_template_that_fails_is_an_internal_error(api: RestApi, local_aws: LocalAws, template: str) -> None:
    """ "Gateway response types for API Gateway": API_CONFIGURATION_ERROR. The log says why.

    "Override your API's request and response parameters and status codes for REST APIs": each once.
    "Amazon API Gateway quotas": 1,000 iterations in a #foreach loop.
    """
    api.mock("/failing", '{"statusCode": 200}', Answer(template=template))
    reply = api.call("GET", "/failing")
    assert (reply.status, reply.document) == (500, {"message": "Internal server error"})
    request_id = reply.headers["x-amzn-requestid"]
    assert f"({request_id}) Execution failed: API_CONFIGURATION_ERROR" in local_aws.log_path.read_text()


def test_a_payload_that_only_begins_as_json_is_a_bad_request(api: RestApi) -> None:
    method = api.method("/broken", "POST")
    templates = {"application/json": "$input.path('$.a')"}
    api.integrate(method, Answer(), type="MOCK", requestTemplates=templates)
    reply = api.call("POST", "/broken", b'{"a": 1')
    assert (reply.status, reply.document) == (400, {"message": "Invalid JSON in request body"})
