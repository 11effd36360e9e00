"""Payment gateways: Stripe by its SDK, a sandbox that speaks Stripe's API, and one in memory."""
