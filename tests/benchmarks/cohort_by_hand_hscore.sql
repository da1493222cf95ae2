-- HScore on the population of cohort_population.sql; read cohort_by_hand.sql first.

-- code, unit, analyte, lower is worse, scale per thousandth, zero of the scale, unit as shown, flags
CREATE OR REPLACE TEMP TABLE units AS
SELECT code, unit, analyte, flags,
  number() + CASE WHEN low THEN top() - zero ELSE zero END * 67108864::BIGINT + tag * 4 + 3 AS base,
  CASE WHEN low THEN -scale ELSE scale END * 67108864::BIGINT AS times
FROM (VALUES
  ('temperature', 'Cel', 0, false, 9, 160000, 0, 0), ('temperature', '°C', 0, false, 9, 160000, 0, 0),
  ('temperature', '°F', 0, false, 5, 0, 1, 0),                                              -- 1/9000 °C above -160/9 °C, which is 0 °F
  ('hemoglobin', 'g/L', 1, true, 1, 0, 0, 0), ('hemoglobin', 'g/dL', 1, true, 10, 0, 1, 0),
  ('platelets', '10*9/L', 2, true, 1000, 0, 0, 0), ('platelets', 'K/uL', 2, true, 1000, 0, 1, 0),
  ('leukocytes', '/uL', 4, true, 1, 0, 0, 0), ('leukocytes', '10*9/L', 4, true, 1000, 0, 1, 0), ('leukocytes', 'K/uL', 4, true, 1000, 0, 2, 0),
  ('triglycerides', 'mmol/L', 5, false, 8857, 0, 0, 0), ('triglycerides', 'mg/dL', 5, false, 100, 0, 1, 0),
  ('fibrinogen', 'mg/dL', 6, true, 1, 0, 0, 0), ('fibrinogen', 'g/L', 6, true, 100, 0, 1, 0),
  ('ferritin', 'ug/L', 7, false, 1, 0, 0, 0), ('ferritin', 'ng/mL', 7, false, 1, 0, 1, 0),
  ('ast', 'U/L', 9, false, 1, 0, 0, 0), ('ast', 'ukat/L', 9, false, 60, 0, 1, 0),
  ('temperature', '', 0, false, NULL, 0, 0, 0), ('hemoglobin', '', 1, true, NULL, 0, 0, 0), ('platelets', '', 2, true, NULL, 0, 0, 0),
  ('leukocytes', '', 4, true, NULL, 0, 0, 0), ('triglycerides', '', 5, false, NULL, 0, 0, 0), ('fibrinogen', '', 6, true, NULL, 0, 0, 0),
  ('ferritin', '', 7, false, NULL, 0, 0, 0), ('ast', '', 9, false, NULL, 0, 0, 0),
  ('splenomegaly', '', 10, false, NULL, 0, 0, 0), ('hemophagocytosis', '', 11, false, NULL, 0, 0, 0)
) AS u (code, unit, analyte, low, scale, zero, tag, flags);

COPY (
  WITH windows AS (
    SELECT file_row_number AS id, person_id, name, time,
      epoch_us(time) // 1000000 AS until,
      epoch_us(date_trunc('day', time)) // 1000000 - 7 * 86400 AS since
    FROM read_parquet('{anchors}', file_row_number = true)
  ), parsed AS (
    SELECT person_id, epoch_us(time) // 1000000 AS second, analyte, value, base, times, flags,
      CASE
        WHEN value < ':' THEN CAST(TRY_CAST(value AS DECIMAL(18, 3)) * 1000 AS BIGINT)
        WHEN value < '?' THEN CAST(TRY_CAST(ltrim(value, '<>=') AS DECIMAL(18, 3)) * 1000 AS BIGINT)
      END AS thousandths,
      CASE WHEN strpos(value, '.') > 0 THEN length(value) - strpos(value, '.') ELSE 0 END AS decimals
    FROM '{long}' AS l JOIN units AS u ON u.code = l.code AND u.unit = COALESCE(l.unit, '')
  ), keyed AS (
    SELECT person_id, second, analyte, value, flags,
      CASE
        WHEN analyte >= 10 THEN CASE WHEN value = 'no' THEN 0 WHEN value IN ('yes', 'marrow', 'liver', 'spleen', 'lymph node', 'csf') THEN number() END
        WHEN decimals > 3 THEN NULL
        WHEN value < ':' THEN base + thousandths * times - decimals
        WHEN value < '?' THEN base + thousandths * times - decimals
          + CASE WHEN (value[1] = '<') = (times < 0) THEN CASE WHEN value[2] = '=' THEN 16777216 ELSE 33554432 END
                 ELSE CASE WHEN value[2] = '=' THEN 16777216 ELSE 0 END - number() END
      END AS key
    FROM parsed
  ), flagged AS (
    SELECT person_id, second, analyte, key,
      CASE
        WHEN value < ':' AND key IS NOT NULL THEN flags
        WHEN value = 'no' AND analyte >= 10 THEN 0
        WHEN analyte >= 10 AND key IS NOT NULL THEN
          CASE value WHEN 'marrow' THEN 268435456 WHEN 'liver' THEN 536870912 WHEN 'spleen' THEN 1073741824 WHEN 'lymph node' THEN 2147483648
                     WHEN 'csf' THEN 4294967296 ELSE 0 END
        WHEN value IN ('hemolyzed', 'clotted', 'not done', 'unreadable') THEN 0
        WHEN key IS NULL THEN 1 << analyte
        WHEN key >= number() THEN (1 << analyte) | flags
        ELSE flags | CASE analyte
          WHEN 0 THEN CASE WHEN key > at_least(514600) - number() + 33554431 THEN 69632
                           WHEN key > at_least(505600) - number() + 16777215 THEN 65536 ELSE 0 END
          WHEN 1 THEN CASE WHEN key > at_most(92000) - number() + 16777215 THEN 131072 ELSE 0 END
          WHEN 2 THEN CASE WHEN key > at_most(110000000) - number() + 16777215 THEN 262144 ELSE 0 END
          WHEN 4 THEN CASE WHEN key > at_most(5000000) - number() + 16777215 THEN 1048576 ELSE 0 END
          WHEN 5 THEN CASE WHEN key > at_least(35428000) - number() + 33554431 THEN 2105344
                           WHEN key > at_least(13285500) - number() + 16777215 THEN 2097152 ELSE 0 END
          WHEN 6 THEN CASE WHEN key > at_most(250000) - number() + 16777215 THEN 4194304 ELSE 0 END
          WHEN 7 THEN CASE WHEN key > at_least(6000000) - number() + 33554431 THEN 8404992
                           WHEN key > at_least(2000000) - number() + 16777215 THEN 8388608 ELSE 0 END
          WHEN 9 THEN CASE WHEN key > at_least(30000) - number() + 16777215 THEN 33554432 ELSE 0 END
          ELSE 0 END
      END AS flags
    FROM keyed
  ), seen AS (
    SELECT id, analyte, key + (second - since) * 16 AS key, flags
    FROM flagged AS f JOIN windows AS w ON w.person_id = f.person_id AND second >= since AND second <= until
  ), worst AS (
    SELECT id,
      max(key) FILTER (analyte = 0) AS temperature,
      max(key) FILTER (analyte = 1) AS hemoglobin,
      max(key) FILTER (analyte = 2) AS platelets,
      max(key) FILTER (analyte = 4) AS leukocytes,
      max(key) FILTER (analyte = 5) AS triglycerides,
      max(key) FILTER (analyte = 6) AS fibrinogen,
      max(key) FILTER (analyte = 7) AS ferritin,
      max(key) FILTER (analyte = 9) AS ast,
      max(key) FILTER (analyte = 10) AS splenomegaly,
      max(key) FILTER (analyte = 11) AS hemophagocytosis,
      bit_or(flags) AS flags
    FROM seen
    GROUP BY id
  ), known AS (
    SELECT w.*, COALESCE(flags, 0) AS flags, temperature, hemoglobin, leukocytes, platelets, triglycerides, fibrinogen, ferritin, ast,
      CASE WHEN splenomegaly >= number() OR flags & 1024 = 0 THEN splenomegaly END AS splenomegaly,
      CASE WHEN hemophagocytosis >= number() OR flags & 2048 = 0 THEN hemophagocytosis END AS hemophagocytosis
    FROM windows AS w LEFT JOIN worst USING (id)
  ), compared AS (
    SELECT *,
      CASE WHEN temperature >= above(514600) THEN 49 WHEN temperature >= at_least(505600) THEN 33 ELSE 0 END AS temperature_min,
      CASE WHEN temperature >= above(514600) OR flags & 4097 > 0 OR temperature IS NULL THEN 49
           WHEN temperature >= at_least(505600) OR flags & 65537 > 0 THEN 33 ELSE 0 END AS temperature_max,
      splenomegaly >= number() AS splenomegaly_is,
      CASE WHEN hemoglobin >= at_most(92000) THEN true WHEN flags & 131074 = 0 AND hemoglobin IS NOT NULL THEN false END AS hemoglobin_is,
      CASE WHEN leukocytes >= at_most(5000000) THEN true WHEN flags & 1048592 = 0 AND leukocytes IS NOT NULL THEN false END AS leukocytes_is,
      CASE WHEN platelets >= at_most(110000000) THEN true WHEN flags & 262148 = 0 AND platelets IS NOT NULL THEN false END AS platelets_is,
      CASE WHEN ferritin >= above(6000000) THEN 50 WHEN ferritin >= at_least(2000000) THEN 35 ELSE 0 END AS ferritin_min,
      CASE WHEN ferritin >= above(6000000) OR flags & 16512 > 0 OR ferritin IS NULL THEN 50
           WHEN ferritin >= at_least(2000000) OR flags & 8388736 > 0 THEN 35 ELSE 0 END AS ferritin_max,
      CASE WHEN triglycerides >= above(35428000) THEN 64 WHEN triglycerides >= at_least(13285500) THEN 44 ELSE 0 END AS triglycerides_min,
      CASE WHEN triglycerides >= above(35428000) OR flags & 8224 > 0 OR triglycerides IS NULL THEN 64
           WHEN triglycerides >= at_least(13285500) OR flags & 2097184 > 0 THEN 44 ELSE 0 END AS triglycerides_max,
      CASE WHEN fibrinogen >= at_most(250000) THEN true WHEN flags & 4194368 = 0 AND fibrinogen IS NOT NULL THEN false END AS fibrinogen_is,
      CASE WHEN ast >= at_least(30000) THEN true WHEN flags & 33554944 = 0 AND ast IS NOT NULL THEN false END AS ast_is,
      CASE WHEN hemophagocytosis < number() THEN false WHEN flags & 268435456 > 0 THEN true END AS hemophagocytosis_is
    FROM known
  ), counted AS (
    SELECT *,
      (hemoglobin_is IS TRUE)::INT + (leukocytes_is IS TRUE)::INT + (platelets_is IS TRUE)::INT AS lines_min,
      3 - (hemoglobin_is IS FALSE)::INT - (leukocytes_is IS FALSE)::INT - (platelets_is IS FALSE)::INT AS lines_max
    FROM compared
  ), combined AS (
    SELECT *,
      CASE WHEN lines_min >= 3 THEN 34 WHEN lines_min >= 2 THEN 24 ELSE 0 END AS cytopenias_min,
      CASE WHEN lines_max >= 3 THEN 34 WHEN lines_max >= 2 THEN 24 ELSE 0 END AS cytopenias_max,
      -- of two or more that are met these decide; else those whose status is that of "at least 2" or "at least 3"
      lines_min < 2 AND lines_max >= 2 AS by_unknown,
      lines_min < 2 AND lines_max < 3 AS by_unmet
    FROM counted
  ), chosen AS (
    SELECT *,
      temperature_min + CASE WHEN splenomegaly_is THEN 23 ELSE 0 END + cytopenias_min + ferritin_min + triglycerides_min
        + CASE WHEN fibrinogen_is THEN 30 ELSE 0 END + CASE WHEN ast_is THEN 19 ELSE 0 END
        + CASE WHEN hemophagocytosis_is THEN 35 ELSE 0 END AS score_min,
      18 + temperature_max + CASE WHEN NOT splenomegaly_is THEN 23 ELSE 38 END + cytopenias_max + ferritin_max + triglycerides_max
        + CASE WHEN NOT fibrinogen_is THEN 0 ELSE 30 END + CASE WHEN NOT ast_is THEN 0 ELSE 19 END
        + CASE WHEN NOT hemophagocytosis_is THEN 0 ELSE 35 END AS score_max,
      hemoglobin IS NOT NULL AND CASE WHEN lines_min >= 2 THEN hemoglobin_is IS TRUE
        ELSE (by_unknown AND hemoglobin_is IS NULL) OR (by_unmet AND hemoglobin_is IS FALSE) END AS by_hemoglobin,
      leukocytes IS NOT NULL AND CASE WHEN lines_min >= 2 THEN leukocytes_is IS TRUE
        ELSE (by_unknown AND leukocytes_is IS NULL) OR (by_unmet AND leukocytes_is IS FALSE) END AS by_leukocytes,
      platelets IS NOT NULL AND CASE WHEN lines_min >= 2 THEN platelets_is IS TRUE
        ELSE (by_unknown AND platelets_is IS NULL) OR (by_unmet AND platelets_is IS FALSE) END AS by_platelets
    FROM combined
  )
  SELECT
    person_id,
    name AS anchor,
    'hscore' AS criteria,
    CASE WHEN score_min >= 169 THEN 'met' WHEN score_max < 169 THEN 'not_met' ELSE 'indeterminate' END AS verdict,
    CAST(NULL AS INTEGER) AS met,
    CAST(NULL AS INTEGER) AS unknown,
    CAST(NULL AS INTEGER) AS required,
    CAST(score_min AS DOUBLE) AS score_min,
    CAST(score_max AS DOUBLE) AS score_max,
    CAST(NULL AS VARCHAR) AS "by",
    CAST(NULL AS BOOLEAN) AS applicable,
    time AS anchor_time,
    'unknown' AS immunosuppression,
    CAST(NULL AS VARCHAR) AS immunosuppression_value,
    CAST(NULL AS TIMESTAMP) AS immunosuppression_time,
    points(temperature_min, temperature_max) AS temperature,
    limit_of(temperature, '>', '<') || CASE unit_of(temperature)
      WHEN 0 THEN written((scaled(temperature) - 160000) // 9, temperature) || ' Cel'
      ELSE written(scaled(temperature) // 5, temperature) || ' degF' END AS temperature_value,
    moment(since, temperature) AS temperature_time,
    CASE WHEN splenomegaly_is THEN 'met' ELSE 'unknown' END AS organomegaly,
    CASE WHEN splenomegaly_is THEN 'splenomegaly yes' WHEN NOT splenomegaly_is THEN 'splenomegaly no' END AS organomegaly_value,
    moment(since, splenomegaly) AS organomegaly_time,
    points(cytopenias_min, cytopenias_max) AS cytopenias,
    NULLIF(concat_ws('; ',
      CASE WHEN by_hemoglobin THEN 'hemoglobin ' || limit_of(hemoglobin, '<', '>') || CASE unit_of(hemoglobin)
        WHEN 0 THEN written(top() - scaled(hemoglobin), hemoglobin) || ' g/L'
        ELSE written((top() - scaled(hemoglobin)) // 10, hemoglobin) || ' g/dL' END END,
      CASE WHEN by_leukocytes THEN 'leukocytes ' || limit_of(leukocytes, '<', '>') || CASE unit_of(leukocytes)
        WHEN 0 THEN written(top() - scaled(leukocytes), leukocytes) || ' /uL'
        WHEN 1 THEN written((top() - scaled(leukocytes)) // 1000, leukocytes) || ' 10*9/L'
        ELSE written((top() - scaled(leukocytes)) // 1000, leukocytes) || ' 10*3/uL' END END,
      CASE WHEN by_platelets THEN 'platelets ' || limit_of(platelets, '<', '>') || written((top() - scaled(platelets)) // 1000, platelets)
        || CASE unit_of(platelets) WHEN 0 THEN ' 10*9/L' ELSE ' 10*3/uL' END END), '') AS cytopenias_value,
    moment(since, greatest(CASE WHEN by_hemoglobin THEN hemoglobin & 16777215 END, CASE WHEN by_leukocytes THEN leukocytes & 16777215 END,
      CASE WHEN by_platelets THEN platelets & 16777215 END)) AS cytopenias_time,
    points(ferritin_min, ferritin_max) AS ferritin,
    limit_of(ferritin, '>', '<') || written(scaled(ferritin), ferritin)
      || CASE unit_of(ferritin) WHEN 0 THEN ' ug/L' ELSE ' ng/mL' END AS ferritin_value,
    moment(since, ferritin) AS ferritin_time,
    points(triglycerides_min, triglycerides_max) AS triglycerides,
    limit_of(triglycerides, '>', '<') || CASE unit_of(triglycerides)
      WHEN 0 THEN written(scaled(triglycerides) // 8857, triglycerides) || ' mmol/L'
      ELSE written(scaled(triglycerides) // 100, triglycerides) || ' mg/dL' END AS triglycerides_value,
    moment(since, triglycerides) AS triglycerides_time,
    status(fibrinogen_is) AS fibrinogen,
    limit_of(fibrinogen, '<', '>') || CASE unit_of(fibrinogen)
      WHEN 0 THEN written(top() - scaled(fibrinogen), fibrinogen) || ' mg/dL'
      ELSE written((top() - scaled(fibrinogen)) // 100, fibrinogen) || ' g/L' END AS fibrinogen_value,
    moment(since, fibrinogen) AS fibrinogen_time,
    status(ast_is) AS ast,
    limit_of(ast, '>', '<') || CASE unit_of(ast)
      WHEN 0 THEN written(scaled(ast), ast) || ' U/L' ELSE written(scaled(ast) // 60, ast) || ' ukat/L' END AS ast_value,
    moment(since, ast) AS ast_time,
    status(hemophagocytosis_is) AS hemophagocytosis,
    sites(hemophagocytosis, flags) AS hemophagocytosis_value,
    moment(since, hemophagocytosis) AS hemophagocytosis_time
  FROM chosen
) TO '{out}' (FORMAT parquet, COMPRESSION zstd);

-- The books: every row of the input, by what became of it. Numbers with their unit are most, and are told apart first.
SELECT
  CASE what
    WHEN 0 THEN 'read' WHEN 1 THEN 'not asked for' WHEN 2 THEN 'no person' WHEN 3 THEN 'no time' WHEN 4 THEN 'no value'
    WHEN 5 THEN 'not a finding' WHEN 6 THEN 'no number' ELSE 'no unit, or none of this analyte'
  END AS reason,
  rows
FROM (
  SELECT
    CAST(CASE
      WHEN times IS NOT NULL AND value < ':' AND person_id IS NOT NULL AND time IS NOT NULL
        AND TRY_CAST(value AS DECIMAL(18, 3)) IS NOT NULL THEN 0
      WHEN l.code NOT IN ('temperature', 'hemoglobin', 'platelets', 'leukocytes', 'triglycerides', 'fibrinogen', 'ferritin', 'ast', 'splenomegaly',
      'hemophagocytosis') THEN 1
      WHEN person_id IS NULL THEN 2
      WHEN time IS NULL THEN 3
      WHEN COALESCE(value, '') = '' THEN 4
      WHEN value IN ('hemolyzed', 'clotted', 'not done', 'unreadable', 'pending') THEN 0
      WHEN l.code IN ('splenomegaly', 'hemophagocytosis') THEN
        CASE WHEN value IN ('no', 'yes', 'marrow', 'liver', 'spleen', 'lymph node', 'csf') THEN 0 ELSE 5 END
      WHEN TRY_CAST(CASE WHEN value < ':' THEN value ELSE ltrim(value, '<>=') END AS DECIMAL(18, 3)) IS NULL THEN 6
      WHEN times IS NULL THEN 7
      ELSE 0
    END AS TINYINT) AS what,
    count(*) AS rows
  FROM '{long}' AS l LEFT JOIN units AS u ON u.code = l.code AND u.unit = COALESCE(l.unit, '')
  GROUP BY what
);
