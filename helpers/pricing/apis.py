"""Amazon API Gateway. Source of the rules: the Amazon API Gateway pricing page.

Data that leaves AWS is charged besides, see `data_transfer_cost`.
"""

from helpers.pricing.costs import Cost, chunks, line
from helpers.pricing.prices import REGION

HTTP_CHUNK_KB = 512
WEBSOCKET_CHUNK_KB = 32


def http_api_cost(requests: float, payload_kb: float = 1, region: str = REGION) -> Cost:
    """Requests to HTTP APIs: every begun 512 KB count as one."""
    return Cost((line("api_gateway.http.requests", requests * chunks(payload_kb, HTTP_CHUNK_KB), region),))


def rest_api_cost(requests: float, region: str = REGION) -> Cost:
    """Requests to REST APIs, whatever their size, without a cache."""
    return Cost((line("api_gateway.rest.requests", requests, region),))


def websocket_api_cost(
    messages: float, connection_minutes: float, message_kb: float = 1, region: str = REGION
) -> Cost:
    """Messages sent and received over WebSocket, every begun 32 KB as one, and the time of connection."""
    billed_messages = messages * chunks(message_kb, WEBSOCKET_CHUNK_KB)
    return Cost(
        (
            line("api_gateway.websocket.messages", billed_messages, region),
            line("api_gateway.websocket.connection_minutes", connection_minutes, region),
        )
    )
