"""The page at /docs: Swagger UI as vendored by `vendor.py`, with a start-up and a page of ours; works offline."""
