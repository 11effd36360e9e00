"""A stateful service of ours that speaks the part of Stripe's API which the adapter uses, and fails on demand."""

from infra.gateway.sandbox.service import SandboxGateway, serve

__all__ = ["SandboxGateway", "serve"]
