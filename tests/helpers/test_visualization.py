"""The address of the page that draws a result, decoded again."""

import base64
import struct

from helpers import published
from helpers.tuning import visualization

# aws-lambda-power-tuning, "State machine output": the example of `visualization`.
EXAMPLE = (
    f"{visualization.PAGE}#gAAAAQACAAQABsAL;ZooQR4yvkUa/pQRGRC5zRaADHUVjOftE;QdWhOEMkoziDT5Q4xhiIOMYYiDi6RNc4"
)


def decoded(url: str) -> list[tuple[float, ...]]:
    page, _, hash_part = url.partition("#")
    assert page == "https://lambda-power-tuning.show/"
    columns = []
    for text, form in zip(hash_part.split(";"), "hff", strict=True):
        raw = base64.b64decode(text, validate=True)
        columns.append(struct.unpack(f"<{len(raw) // struct.calcsize(form)}{form}", raw))
    return columns


def test_the_address_holds_sizes_durations_and_costs() -> None:
    table = published.power_tuning()
    url = visualization.url(list(table.index), list(table["duration_ms"]), list(table["cost_usd"]))
    sizes, durations, costs = decoded(url)
    assert sizes == (128, 256, 512, 1024, 1536, 3008)
    single_precision = struct.unpack("<6f", struct.pack("<6f", *table["duration_ms"]))
    assert durations == single_precision
    assert costs == struct.unpack("<6f", struct.pack("<6f", *table["cost_usd"]))


def test_the_example_of_the_reference_is_reproduced() -> None:
    sizes, durations, costs = decoded(EXAMPLE)
    assert visualization.url([int(size) for size in sizes], durations, costs) == EXAMPLE
    # It is the table in data/power_tuning_published.csv.
    table = published.power_tuning()
    assert [round(duration, 1) for duration in durations] == [round(x, 1) for x in table["duration_ms"]]


def test_the_largest_size_fits() -> None:
    assert decoded(visualization.url([10_240], [1.0], [2.0]))[0] == (10_240,)
