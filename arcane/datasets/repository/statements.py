"""The statements that make a version: each is one round trip, whatever the number of rows.

All of them name the version that is being made (`:version`); the dataset's row is locked by then.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

_OURS = "organisation_id, project_id, dataset_id"
_REVISION = f"{_OURS}, row_id, from_version, until_version, ordinal, values, split, origin"
_OF_DATASET = "organisation_id = :organisation AND project_id = :project AND dataset_id = :dataset"
_NOW = f"{_OF_DATASET} AND until_version IS NULL"

ADD = text(f"""
    INSERT INTO dataset_rows ({_REVISION})
    SELECT :organisation, :project, :dataset, row_id, CAST(:version AS integer), NULL, ordinal, given::jsonb, split,
           nullif(origin, '')::jsonb
    FROM unnest(CAST(:ids AS uuid[]), CAST(:ordinals AS bigint[]), CAST(:values AS text[]), CAST(:splits AS text[]),
                CAST(:origins AS text[])) AS made(row_id, ordinal, given, split, origin)
""")
CLOSE = text(f"""
    UPDATE dataset_rows SET until_version = :version
    WHERE {_NOW} AND row_id = ANY(CAST(:ids AS uuid[])) RETURNING row_id
""")
CLOSE_ALL = text(f"UPDATE dataset_rows SET until_version = :version WHERE {_NOW}")
RESTORE = text(f"""
    WITH ended AS (
        UPDATE dataset_rows SET until_version = :version WHERE {_NOW} AND from_version > :wanted RETURNING row_id
    ), again AS (
        INSERT INTO dataset_rows ({_REVISION})
        SELECT {_OURS}, row_id, CAST(:version AS integer), NULL, ordinal, values, split, origin FROM dataset_rows
        WHERE {_OF_DATASET} AND from_version <= :wanted AND until_version > :wanted
        RETURNING row_id
    )
    SELECT (SELECT count(*) FROM ended), (SELECT count(*) FROM again),
           (SELECT count(*) FROM ended JOIN again USING (row_id))
""")


def _assigning(wanted: str) -> TextClause:
    """Returns the statement that puts rows into splits: `wanted` selects each row's id and the split it belongs in."""
    return text(f"""
        WITH wanted AS ({wanted}), ended AS (
            UPDATE dataset_rows AS held SET until_version = :version FROM wanted
            WHERE {_NOW} AND held.row_id = wanted.row_id AND held.split <> wanted.split
            RETURNING {_OURS}, held.row_id, held.ordinal, held.values, held.origin, wanted.split
        ), again AS (
            INSERT INTO dataset_rows ({_REVISION})
            SELECT {_OURS}, row_id, CAST(:version AS integer), NULL, ordinal, values, split, origin FROM ended
            RETURNING 1
        )
        SELECT count(*) FROM again
    """)


ASSIGN_BY_HAND = _assigning(f"""
    SELECT row_id, CAST(:split AS text) AS split FROM dataset_rows
    WHERE {_NOW} AND row_id = ANY(CAST(:ids AS uuid[]))
""")
ASSIGN_BY_COLUMN = _assigning(f"""
    SELECT row_id, btrim(coalesce(values ->> CAST(:column AS text), '')) AS split FROM dataset_rows WHERE {_NOW}
""")
ASSIGN_BY_CHANCE = _assigning(f"""
    SELECT row_id, (CAST(:names AS text[]))[1 + width_bucket(place, CAST(:bounds AS float8[]))] AS split
    FROM (
        SELECT row_id, (row_number() OVER (ORDER BY md5(CAST(:seed AS text) || row_id::text)) - 0.5)::float8
               / count(*) OVER () AS place
        FROM dataset_rows WHERE {_NOW} AND (NOT CAST(:unassigned AS boolean) OR split = '')
    ) AS drawn
""")
