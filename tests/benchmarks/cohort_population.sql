-- {persons} persons with three time points of twelve analytes each, drawn by hash(): the same on every machine that has the same DuckDB.
COPY (
  WITH drawn AS (
    SELECT CAST(k // 36 AS INTEGER) AS person, CAST(k // 12 % 3 AS INTEGER) AS point, CAST(k % 12 AS INTEGER) AS number,
      hash(k + 20041231) AS h, hash(k // 12) AS h2
    FROM range(36 * {persons}) AS r (k)
  ), split AS (
    SELECT person, point, number,
      CAST(h >> 44 AS INTEGER) AS u,                               -- 20 bits: the value
      CAST((h >> 10) & 1023 AS INTEGER) % 10 AS w,                 -- the unit
      ((h >> 10) & 1023) // 10 % 10 = 0 AS longer,                 -- a zero more is written
      (h >> 20) & 1023 AS c,                                       -- a limit of the assay, or no number
      CAST((h >> 30) & 16383 AS INTEGER) % 9720 - 360 AS minutes -- before the anchor; a few are after it
    FROM drawn
    WHERE h & 1023 >= 284 AND h2 % 32 > 0                          -- 30 % are missing, among them all of some time points
  ), written AS (
    SELECT *,
      CASE number
        WHEN 0 THEN CASE WHEN w < 3 THEN '°F' WHEN w < 6 THEN '°C' ELSE 'Cel' END
        WHEN 1 THEN CASE WHEN w < 4 THEN 'g/L' ELSE 'g/dL' END
        WHEN 2 THEN CASE WHEN w < 4 THEN 'K/uL' ELSE '10*9/L' END
        WHEN 3 THEN CASE WHEN w < 3 THEN '/uL' ELSE '10*9/L' END
        WHEN 4 THEN CASE WHEN w < 3 THEN '/uL' WHEN w < 6 THEN 'K/uL' ELSE '10*9/L' END
        WHEN 5 THEN CASE WHEN w < 5 THEN 'mg/dL' ELSE 'mmol/L' END
        WHEN 6 THEN CASE WHEN w < 5 THEN 'mg/dL' ELSE 'g/L' END
        WHEN 7 THEN CASE WHEN w < 5 THEN 'ng/mL' ELSE 'ug/L' END
        WHEN 8 THEN CASE WHEN w < 1 THEN 'pg/mL' WHEN w < 4 THEN 'IU/mL' ELSE 'U/mL' END
        WHEN 9 THEN CASE WHEN w < 1 THEN 'ukat/L' ELSE 'U/L' END
      END AS unit,
      CASE number
        WHEN 0 THEN CASE WHEN w < 3 THEN 970 + u % 90 ELSE 360 + u % 51 END
        WHEN 1 THEN 50 + u % 110
        WHEN 2 THEN 5 + u % 400
        WHEN 3 THEN CASE WHEN w < 3 THEN u % 8000 ELSE u % 800 END
        WHEN 4 THEN CASE WHEN w < 3 THEN u % 20000 ELSE u % 200 END
        WHEN 5 THEN CASE WHEN w < 5 THEN 50 + u % 500 ELSE 50 + u % 600 END
        WHEN 6 THEN 50 + u % 450
        WHEN 7 THEN (8 << u % 14) + u // 14 % (8 << u % 14)
        WHEN 8 THEN (100 << u % 7) + u // 7 % (100 << u % 7)
        WHEN 9 THEN CASE WHEN w < 1 THEN 10 + u % 900 ELSE (8 << u % 9) + u // 9 % (8 << u % 9) END
      END AS x,
      CASE number                                                  -- decimals
        WHEN 0 THEN 1
        WHEN 1 THEN CASE WHEN w < 4 THEN 0 ELSE 1 END
        WHEN 3 THEN CASE WHEN w < 3 THEN 0 ELSE 2 END
        WHEN 4 THEN CASE WHEN w < 3 THEN 0 ELSE 1 END
        WHEN 5 THEN CASE WHEN w < 5 THEN 0 ELSE 2 END
        WHEN 6 THEN CASE WHEN w < 5 THEN 0 ELSE 2 END
        WHEN 9 THEN CASE WHEN w < 1 THEN 2 ELSE 0 END
        ELSE 0
      END AS decimals,
      CASE number                                                  -- what an analyser prints beyond its range
        WHEN 1 THEN CASE WHEN w < 4 THEN '<30' ELSE '<3.0' END
        WHEN 2 THEN '<10'
        WHEN 3 THEN CASE WHEN w < 3 THEN '<100' ELSE '<0.1' END
        WHEN 4 THEN CASE WHEN w < 3 THEN '<200' ELSE '<0.2' END
        WHEN 5 THEN CASE WHEN w < 2 THEN '<45' WHEN w < 5 THEN '>885' WHEN w < 7 THEN '<0.50' ELSE '>10.00' END
        WHEN 6 THEN CASE WHEN w < 3 THEN '<60' WHEN w < 5 THEN '>900' WHEN w < 8 THEN '<0.60' ELSE '>9.00' END
        WHEN 7 THEN ['>1500', '>2000', '>16500', '>40000', '<8'][1 + u % 5]
        WHEN 8 THEN ['>2000', '>5000', '>7500', '<200'][1 + u % 4]
        WHEN 9 THEN CASE WHEN w < 1 THEN '<0.08' WHEN w < 5 THEN '<5' ELSE '>7000' END
      END AS beyond
    FROM split
  )
  SELECT
    'p' || lpad(CAST(person AS VARCHAR), 8, '0') AS person_id,
    TIMESTAMP '2023-01-01 10:00:00' + to_days(CAST(hash(person) % 300 AS INTEGER) + [0, 5, 40][1 + point]) - to_minutes(minutes) AS time,
    ['temperature', 'hemoglobin', 'platelets', 'neutrophils', 'leukocytes', 'triglycerides', 'fibrinogen', 'ferritin', 'sil2r', 'ast',
      'splenomegaly', 'hemophagocytosis'][1 + number] AS code,
    CASE
      WHEN c > 1020 THEN CASE c WHEN 1021 THEN 'hemolyzed' WHEN 1022 THEN 'pending' ELSE 'see comment' END
      WHEN number = 10 THEN CASE WHEN u % 20 < 7 THEN 'yes' ELSE 'no' END
      WHEN number = 11 THEN CASE WHEN u % 50 < 10 THEN 'marrow' WHEN u % 50 < 12 THEN 'liver' ELSE 'no' END
      WHEN c < 13 AND beyond IS NOT NULL THEN beyond
      WHEN decimals = 1 THEN x // 10 || '.' || x % 10 || CASE WHEN longer THEN '0' ELSE '' END
      WHEN decimals = 2 THEN x // 100 || '.' || lpad(CAST(x % 100 AS VARCHAR), 2, '0') || CASE WHEN longer THEN '0' ELSE '' END
      ELSE CAST(x AS VARCHAR)
    END AS value,
    CASE WHEN c <> 1020 THEN unit END AS unit
  FROM written
) TO '{long}' (FORMAT parquet);

COPY (
  SELECT
    'p' || lpad(CAST(person AS VARCHAR), 8, '0') AS person_id,
    TIMESTAMP '2023-01-01 10:00:00' + to_days(CAST(hash(person) % 300 AS INTEGER) + [0, 5, 40][1 + point]) AS time,
    ['suspected', 'treated', 'after'][1 + point] AS name
  FROM range({persons}) AS p (person), range(3) AS t (point)
) TO '{anchors}' (FORMAT parquet);
