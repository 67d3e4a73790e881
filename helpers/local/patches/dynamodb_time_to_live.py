"""Items of Amazon DynamoDB that have expired are deleted, and streams say who did it.

AWS behaviour restored (DynamoDB developer guide, "Using time to live (TTL) in DynamoDB" and "DynamoDB Streams
and Time to Live"): the attribute is a number, of seconds since the epoch, and not more than five years past;
a deletion is a stream record with `dynamodb.amazonaws.com` as its user identity, and counts as
TimeToLiveDeletedItemCount. On AWS it comes within a few days, here within seconds. What is enabled, or
disabled, already is refused (API reference, "UpdateTimeToLive").
"""

import contextvars
import threading
import time
from typing import Any

from ministack import app
from ministack.core.responses import AccountRegionScopedDict, error_response_json, request_scope
from ministack.services import cloudwatch, dynamodb, dynamodb_streams

from helpers.local import contract

CHECK_INTERVAL_S = 1.0
LONGEST_EXPIRED_S = 5 * 365 * 24 * 3600
# As Lambda functions see it; GetRecords names both members in capitals.
USER_IDENTITY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}

_tables = contract.expect(dynamodb, "_tables")
_table_name = contract.expect(dynamodb, "_normalize_table_name")
_remove_item = contract.expect(dynamodb, "_remove_item", ("table", "pk_val", "sk_val"))
_emit = contract.expect(
    dynamodb, "_emit_stream_event", ("table_name", "event_name", "old_item", "new_item", "replicate")
)
_record_metric = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)
_expiring: contextvars.ContextVar[bool] = contextvars.ContextVar("dynamodb_item_expires", default=False)


class _Settings(AccountRegionScopedDict):
    """The settings by table, of which the emulator's own thread, once a minute, finds none to look at."""

    def all_items(self) -> list[Any]:
        return []

    def of_all_accounts(self) -> list[Any]:
        return list(super().all_items())


def install() -> None:
    contract.expect(dynamodb, "_ttl_reaper", ())
    contract.expect(dynamodb, "_ttl_settings")
    contract.expect(app, "_MAIN_LOOP")
    settings = dynamodb._ttl_settings = _Settings()
    _note_who_deletes()
    _refuse_what_is_so_already(settings)
    thread = threading.Thread(
        target=_expire_regularly, args=(settings,), name="dynamodb-time-to-live", daemon=True
    )
    thread.start()


def _refuse_what_is_so_already(settings: _Settings) -> None:
    update = contract.expect(dynamodb, "_update_ttl", ("data",))

    def update_time_to_live(data: dict[str, Any]) -> Any:
        asked = data.get("TimeToLiveSpecification") or {}
        table_name = _table_name(data.get("TableName"))
        setting = settings.get(table_name) or {}
        enabled = setting.get("TimeToLiveStatus") == "ENABLED"
        if table_name not in _tables or bool(asked.get("Enabled")) != enabled:
            return update(data)
        message = f"TimeToLive is already {'enabled' if enabled else 'disabled'}"
        if enabled and asked.get("AttributeName") != setting["AttributeName"]:
            message = (
                "TimeToLive is active on a different AttributeName: current AttributeName is "
                f"{setting['AttributeName']}"
            )
        return error_response_json("ValidationException", message, 400)

    dynamodb._update_ttl = update_time_to_live


def _expire_regularly(settings: _Settings) -> None:
    while True:
        time.sleep(CHECK_INTERVAL_S)
        if app._MAIN_LOOP is not None:
            # Where requests are handled, so that no table changes meanwhile.
            app._MAIN_LOOP.call_soon_threadsafe(_expire, settings)


def _expire(settings: _Settings) -> None:
    for (account_id, region, table_name), setting in settings.of_all_accounts():
        if setting["TimeToLiveStatus"] == "ENABLED":
            with request_scope(account_id, region):
                _expire_items(table_name, setting["AttributeName"])


def _expire_items(table_name: str, attribute: str) -> None:
    """In the account and Region of the current scope."""
    table = _tables.get(table_name)
    if table is None:
        return
    now_s = time.time()
    expired = [
        (partition_key, sort_key, item)
        for partition_key, items in table["items"].items()
        for sort_key, item in items.items()
        if _has_expired(item.get(attribute), now_s)
    ]
    token = _expiring.set(True)
    try:
        for partition_key, sort_key, item in expired:
            _remove_item(table, partition_key, sort_key)
            _emit(table_name, "REMOVE", item, None)
    finally:
        _expiring.reset(token)
    if expired:
        dimensions = {"TableName": table_name}
        _record_metric("AWS/DynamoDB", "TimeToLiveDeletedItemCount", len(expired), "Count", dimensions)


def _has_expired(value: Any, now_s: float) -> bool:
    number = value.get("N") if isinstance(value, dict) else None
    return number is not None and now_s - LONGEST_EXPIRED_S <= float(number) <= now_s


def _note_who_deletes() -> None:
    parameters = ("table", "event_name", "old_item", "new_item", "view_type")
    build = contract.expect(dynamodb, "_build_change_record", parameters)

    def build_change_record(*arguments: Any) -> dict[str, Any]:
        record: dict[str, Any] = build(*arguments)
        if _expiring.get():
            record["userIdentity"] = dict(USER_IDENTITY)
        return record

    dynamodb._build_change_record = build_change_record
    page_of = contract.expect(dynamodb_streams, "_cap_page_bytes", ("page",))
    dynamodb_streams._cap_page_bytes = lambda page: [_as_by_get_records(record) for record in page_of(page)]


def _as_by_get_records(record: dict[str, Any]) -> dict[str, Any]:
    identity = record.get("userIdentity")
    if identity is None:
        return record
    shown = {"Type": identity["type"], "PrincipalId": identity["principalId"]}
    return {**record, "userIdentity": shown}
