"""What a process tells of itself while it runs: metrics, spans, and the ids that tie its log lines together."""

from infra.telemetry.metrics import Metrics, Sample
from infra.telemetry.telemetry import Telemetry

__all__ = ["Metrics", "Sample", "Telemetry"]
