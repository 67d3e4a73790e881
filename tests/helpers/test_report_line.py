"""REPORT lines as the AWS Lambda Developer Guide shows them."""

import pytest

from helpers import report_line
from helpers.report_line import ReportLine

WARM = (
    "REPORT RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\tDuration: 1.15 ms\tBilled Duration: 2 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 73 MB\t\n"
)
COLD = (
    "REPORT RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\tDuration: 79.67 ms\tBilled Duration: 246 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 73 MB\tInit Duration: 166.00 ms\t\n"
)


def test_warm_invocation() -> None:
    """AWS Lambda Developer Guide, "Understanding Lambda log formats"."""
    report = report_line.parse(WARM)
    assert report == ReportLine("79b4f56e-95b1-4643-9700-2807f4e68189", 1.15, 2, 128, 73)
    assert not report.cold_start
    assert report.total_duration_ms == 1.15


def test_cold_start_adds_init() -> None:
    report = report_line.parse(COLD)
    assert report.cold_start
    assert report.init_duration_ms == 166.0
    assert report.total_duration_ms == pytest.approx(245.67)
    assert report.billed_duration_ms == 246


def test_snapstart_restore() -> None:
    """AWS Lambda Developer Guide, "Monitoring for Lambda SnapStart"."""
    report = report_line.parse(
        "REPORT RequestId: a\tDuration: 10.00 ms\tBilled Duration: 61 ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 90 MB\tRestore Duration: 300.20 ms\tBilled Restore Duration: 51 ms\t"
    )
    assert report.restore_duration_ms == 300.2
    assert report.billed_duration_ms == 61
    assert report.cold_start


def test_status_and_error_type() -> None:
    report = report_line.parse(WARM.rstrip() + "\tStatus: error\tError Type: Runtime.ExitError\n")
    assert (report.status, report.error_type) == ("error", "Runtime.ExitError")


def test_last_report_of_a_log_tail() -> None:
    tail = (
        "START RequestId: x Version: $LATEST\n"
        "the handler prints REPORT RequestId: nothing\n"
        "END RequestId: x\n" + COLD + "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5\t\n"
    )
    assert report_line.last(tail) == report_line.parse(COLD)


def test_json_log_format() -> None:
    """AWS Lambda Developer Guide, Telemetry API event schema, `platform.report`."""
    record = (
        '{"time":"2022-10-12T00:01:15.000Z","type":"platform.report","record":{"requestId":"6d68ca91",'
        '"metrics":{"durationMs":220.33,"billedDurationMs":361,"memorySizeMB":128,"maxMemoryUsedMB":90,'
        '"initDurationMs":140.11},"status":"success"}}'
    )
    assert report_line.last(record) == ReportLine("6d68ca91", 220.33, 361, 128, 90, 140.11)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No REPORT line"),
        ("START RequestId: x\nEND RequestId: x\n", "No REPORT line"),
        (WARM.replace("Duration: 1.15 ms", "Duration: 1.15 s"), "expected ms in '1.15 s'"),
        (WARM.replace("\tMemory Size: 128 MB", ""), "Memory Size"),
    ],
)
def test_unreadable_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(report_line.NoReportLine, match=message):
        report_line.last(text)
