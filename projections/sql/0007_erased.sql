-- Of which erased users this database was cleared. A copy of it from before says nothing of later ones: whoever starts
-- on such a copy compares with the list that is kept outside of all databases.
CREATE TABLE projections.erased (
    user_id uuid        PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT statement_timestamp()
);
