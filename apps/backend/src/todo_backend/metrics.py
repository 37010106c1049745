"""What the service tells Prometheus, on a port of its own: never a title, an address or a name."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

REQUESTS = Counter("todo_requests_total", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "todo_request_seconds",
    "How long a request took.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60),
)
IN_PROGRESS = Gauge("todo_requests_in_progress", "Requests that are being answered.")
CHANGES = Counter("todo_changes_total", "Changes of todos.", ["kind", "actor"])
TURNS = Counter("todo_turns_total", "Messages that an assistant answered.", ["assistant"])
MODEL_FAILURES = Counter("todo_model_failures_total", "Requests that the model did not answer.", ["reason"])
MODEL_TOKENS = Counter("todo_model_tokens_total", "Tokens that the model read and wrote.", ["model"])
LOG_INS = Counter("todo_log_ins_total", "Attempts to log in.", ["outcome"])
for _outcome in ("right", "wrong", "too many", "busy"):
    LOG_INS.labels(_outcome)  # that the first one is seen as a change
HASHES_WAITING = Gauge("todo_password_hashes_waiting", "Passwords that wait to be hashed, or are.")
DATABASE_UP = Gauge("todo_database_up", "Whether the database answered the last time that it was asked.")

NO_ROUTE = "none"
"""Of a request for what there is not: its path could be anything, and would be a series of its own."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
"""So could its method."""


def serve(host: str, port: int) -> None:
    """Serve them, in a thread of their own, until the process ends. Raises OSError where the port is taken."""
    start_http_server(port, host)
