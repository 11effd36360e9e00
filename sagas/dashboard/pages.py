"""Every page there is. To add one: a module with its function, a template, and a row here.

    async def show(visit: Visit) -> Response:
        return visit.page("parked.html", groups=await groups(visit.desk.reads))

`templates/page.html` is the frame that templates extend, `templates/parts.html` has what they share; all that a page
looks at is in `visit.desk`. Live pages: see `live.py`. Forms: `{{ parts.form_start(visit, path) }}` has the tokens.
"""

from __future__ import annotations

from typing import Final

from sagas.dashboard import acting, bulk, bulk_of_all, causes, one_saga, outcomes, overview, saga_list
from sagas.dashboard.access import BULK
from sagas.dashboard.actions import ACT
from sagas.dashboard.operating_pages import OPERATING
from sagas.dashboard.page import Page

PAGES: Final = [
    Page("/", overview.show, "Overview"),
    Page("/sagas", saga_list.show, "Sagas"),
    Page("/sagas/live", saga_list.live),
    Page("/sagas/bulk", bulk.preview, scope=BULK),
    Page("/sagas/bulk/all", bulk_of_all.preview, scope=BULK),
    Page("/sagas/bulk/go", bulk.go, scope=BULK, method="POST"),
    Page("/sagas/bulk/outcomes", outcomes.show, scope=BULK),
    Page("/sagas/bulk/outcomes/live", outcomes.live, scope=BULK),
    Page("/sagas/{id:uuid}", one_saga.show),
    Page("/sagas/{id:uuid}/live", one_saga.live),
    Page("/sagas/{id:uuid}/bundle", one_saga.bundle),
    Page("/sagas/{id:uuid}/test", one_saga.test),
    Page("/sagas/{id:uuid}/causes", causes.show),
    Page("/sagas/{id:uuid}/act/{action}", acting.preview, scope=ACT),
    Page("/sagas/{id:uuid}/act/{action}", acting.act, scope=ACT, method="POST"),
    *OPERATING,
]
