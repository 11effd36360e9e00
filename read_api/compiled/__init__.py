"""Hot documents as one SQL statement each, which answers with the very bytes that the ordinary executor would.

`shapes` says how a type's fields are got at in SQL, and a module of each context says it of its types; `roots` are the
fields a query begins with; `selection` is what a document selects; `writing` makes SQL of it; `path` runs that.
Whatever is not in the tables, and whatever goes wrong, is left to the executor, which knows all fields and all errors.
"""
