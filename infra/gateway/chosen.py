"""The payment gateway that the settings name."""

from __future__ import annotations

from infra.gateway.stripe import StripeGateway
from infra.settings import Settings


def gateway(settings: Settings) -> StripeGateway:
    """Stripe, at its own address or another, such as the sandbox's. To be closed when done.

    It takes a second to import: whoever starts processes imports this module only where payments are made.
    """
    return StripeGateway(
        settings.gateway_key.get_secret_value(),
        webhook_secrets=settings.webhook_secrets(),
        return_url=settings.gateway_return_url,
        country=settings.home_country,
        url=settings.gateway_url,
    )
