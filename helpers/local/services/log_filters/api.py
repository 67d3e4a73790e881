"""FilterLogEvents and TestMetricFilter, and the checks of filters before they are stored.

AWS: CloudWatch Logs API reference, under these names and under "PutMetricFilter",
"PutSubscriptionFilter" and "StartLiveTail".
"""

import time
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused, Response, not_implemented
from helpers.local.services.log_filters.metric_filters import check_transformations
from helpers.local.services.log_filters.requests import FilterRequest, invalid, not_found, pattern_of
from helpers.local.services.log_filters.search import Candidate, Search, Stream
from helpers.local.services.log_filters.tokens import InvalidToken, Token, search_identity

# AWS: CloudWatch Logs user guide, the page on filter patterns, "Quotas".
MAXIMUM_REGEX_FILTERS = 5
MAXIMUM_TEST_MESSAGES = 50

_log_groups = contract.expect(cloudwatch_logs, "_log_groups")
_metric_filters = contract.expect(cloudwatch_logs, "_metric_filters")
_name_of_arn = contract.expect(cloudwatch_logs, "_log_group_name_from_identifier_arn", ("identifier",))


def filter_log_events(parameters: dict[str, Any]) -> Response:
    request = FilterRequest.of(parameters, _name_of_arn)
    identity = search_identity(
        get_account_id(),
        get_region(),
        request.log_group,
        request.log_streams,
        request.prefix,
        request.start_ms,
        request.end_ms,
        request.written_pattern,
    )
    token = _token(request.next_token, identity)
    newest_first = request.newest_first if token is None else token.newest_first
    search = Search(
        _streams(request),
        request.pattern,
        request.start_ms,
        request.end_ms,
        newest_first,
        None if token is None else token.position,
    )
    found, position = search.page(request.limit)
    answer: dict[str, Any] = {"events": [_event(each) for each in found], "searchedLogStreams": []}
    if position is not None:
        answer["nextToken"] = Token(identity, newest_first, position, time.time()).encode()
    return _answer(answer)


def _token(encoded: str | None, identity: str) -> Token | None:
    if encoded is None:
        return None
    try:
        return Token.decode(encoded, identity, time.time())
    except InvalidToken as error:
        raise invalid(f"The specified nextToken is invalid: {error}") from error


def _streams(request: FilterRequest) -> tuple[Stream, ...]:
    group = _log_groups.get(request.log_group)
    if group is None:
        raise not_found(f"The specified log group does not exist: {request.log_group}")
    stored = dict(group["streams"])
    for name in request.log_streams or ():
        if name not in stored:
            raise not_found(f"The specified log stream does not exist: {name}")
    chosen = request.log_streams or [name for name in stored if name.startswith(request.prefix)]
    # Once each: what appends to a stream replaces its events when some of them came late.
    events = [(name, stored[name]["events"]) for name in chosen]
    return tuple(Stream(name, each, len(each)) for name, each in events)


def _event(found: Candidate) -> dict[str, Any]:
    return {
        "logStreamName": found.stream.name,
        "timestamp": found.event["timestamp"],
        "message": found.event["message"],
        "ingestionTime": found.event["ingestionTime"],
        "eventId": found.event_id,
    }


def test_metric_filter(parameters: dict[str, Any]) -> Response:
    pattern = pattern_of(parameters.get("filterPattern"))
    messages = parameters.get("logEventMessages") or []
    if not 1 <= len(messages) <= MAXIMUM_TEST_MESSAGES:
        raise invalid(
            f"logEventMessages must have 1 to {MAXIMUM_TEST_MESSAGES} messages, not {len(messages)}"
        )
    matches = []
    for number, message in enumerate(messages, 1):
        match = pattern.match(message)
        if match is not None:
            matches.append(
                {"eventNumber": number, "eventMessage": message, "extractedValues": match.extracted}
            )
    return _answer({"matches": matches})


def check_metric_filter(parameters: dict[str, Any]) -> None:
    """Raises Refused for what AWS refuses, and for what the local AWS cannot do."""
    _refuse_what_is_missing(parameters, "PutMetricFilter")
    pattern = pattern_of(parameters.get("filterPattern"))
    check_transformations(parameters.get("metricTransformations"), pattern)
    _check_regex_quota(parameters)


def check_subscription_filter(parameters: dict[str, Any]) -> None:
    """Raises Refused for what AWS refuses, and for what the local AWS cannot do."""
    _refuse_what_is_missing(parameters, "PutSubscriptionFilter")
    pattern_of(parameters.get("filterPattern"))
    destination = parameters.get("destinationArn", "")
    if ":function:" not in destination:
        raise not_implemented(
            f"PutSubscriptionFilter to {destination}. Log events are delivered to Lambda functions only."
        )
    _check_regex_quota(parameters)


def check_live_tail(parameters: dict[str, Any]) -> None:
    pattern_of(parameters.get("logEventFilterPattern"))


def _refuse_what_is_missing(parameters: dict[str, Any], operation: str) -> None:
    for name in (
        "applyOnTransformedLogs",
        "fieldSelectionCriteria",
        "emitSystemFieldDimensions",
        "emitSystemFields",
    ):
        if parameters.get(name):
            raise not_implemented(f"{operation} with {name}")


def _check_regex_quota(parameters: dict[str, Any]) -> None:
    if not pattern_of(parameters.get("filterPattern")).regex_count:
        return
    group_name, filter_name = parameters.get("logGroupName"), parameters.get("filterName")
    subscriptions = (_log_groups.get(group_name) or {}).get("subscriptionFilters", {})
    others = [each for each in _metric_filters.values() if each["logGroupName"] == group_name]
    others += subscriptions.values()
    with_regex = [
        each
        for each in others
        if each["filterName"] != filter_name and pattern_of(each["filterPattern"]).regex_count
    ]
    if len(with_regex) >= MAXIMUM_REGEX_FILTERS:
        raise Refused(
            "LimitExceededException",
            f"A log group can have up to {MAXIMUM_REGEX_FILTERS} filters with regular expressions",
            400,
        )


def _answer(content: dict[str, Any]) -> Response:
    answer: Response = json_response(content)
    return answer
