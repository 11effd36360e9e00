"""Sagas: what must happen next to an order, and why it stands where it stands."""

from domain.aggregate import Context
from domain.sagas.events import SagaEvent
from domain.sagas.saga import evolve

CONTEXT = Context("sagas", {SagaEvent: evolve})
