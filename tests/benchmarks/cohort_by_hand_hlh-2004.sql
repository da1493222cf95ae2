-- HLH-2004 on the population of cohort_population.sql; read cohort_by_hand.sql first.

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
  ('neutrophils', '/uL', 3, true, 1, 0, 0, 0), ('neutrophils', '10*9/L', 3, true, 1000, 0, 1, 0),
  ('triglycerides', 'mmol/L', 5, false, 8857, 0, 0, 0), ('triglycerides', 'mg/dL', 5, false, 100, 0, 1, 0),
  ('fibrinogen', 'mg/dL', 6, true, 1, 0, 0, 0), ('fibrinogen', 'g/L', 6, true, 100, 0, 1, 0),
  ('ferritin', 'ug/L', 7, false, 1, 0, 0, 0), ('ferritin', 'ng/mL', 7, false, 1, 0, 1, 0),
  ('sil2r', 'pg/mL', 8, false, 1, 0, 0, 8192), ('sil2r', 'U/mL', 8, false, 1, 0, 1, 4096), ('sil2r', 'IU/mL', 8, false, 1, 0, 1, 4096),
  ('temperature', '', 0, false, NULL, 0, 0, 0), ('hemoglobin', '', 1, true, NULL, 0, 0, 0), ('platelets', '', 2, true, NULL, 0, 0, 0),
  ('neutrophils', '', 3, true, NULL, 0, 0, 0), ('triglycerides', '', 5, false, NULL, 0, 0, 0), ('fibrinogen', '', 6, true, NULL, 0, 0, 0),
  ('ferritin', '', 7, false, NULL, 0, 0, 0), ('sil2r', '', 8, false, NULL, 0, 0, 0),
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
          WHEN 0 THEN CASE WHEN key > at_least(506500) - number() + 16777215 THEN 65536 ELSE 0 END
          WHEN 1 THEN CASE WHEN key > at_most(100000) - number() + 33554431 THEN 131072 ELSE 0 END
          WHEN 2 THEN CASE WHEN key > at_most(100000000) - number() + 33554431 THEN 262144 ELSE 0 END
          WHEN 3 THEN CASE WHEN key > at_most(1000000) - number() + 33554431 THEN 524288 ELSE 0 END
          WHEN 5 THEN CASE WHEN key > at_least(26571000) - number() + 16777215 THEN 136314880     -- 3.0 mmol/L, and 265 mg/dL
                           WHEN key > at_least(26500000) - number() + 16777215 THEN 134217728 ELSE 0 END
          WHEN 6 THEN CASE WHEN key > at_most(150000) - number() + 16777215 THEN 4194304 ELSE 0 END
          WHEN 7 THEN CASE WHEN key > at_least(500000) - number() + 16777215 THEN 8388608 ELSE 0 END
          WHEN 8 THEN CASE WHEN key > at_least(2400000) - number() + 16777215 THEN 16777216 ELSE 0 END
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
      max(key) FILTER (analyte = 3) AS neutrophils,
      max(key) FILTER (analyte = 5) AS triglycerides,
      max(key) FILTER (analyte = 6) AS fibrinogen,
      max(key) FILTER (analyte = 7) AS ferritin,
      max(key) FILTER (analyte = 8) AS sil2r,
      max(key) FILTER (analyte = 10) AS splenomegaly,
      max(key) FILTER (analyte = 11) AS hemophagocytosis,
      bit_or(flags) AS flags
    FROM seen
    GROUP BY id
  ), known AS (
    SELECT w.*, COALESCE(flags, 0) AS flags, temperature, hemoglobin, platelets, neutrophils, triglycerides, fibrinogen, ferritin,
      CASE WHEN flags & 12288 < 12288 THEN sil2r END AS sil2r,                               -- not by two assays
      CASE WHEN splenomegaly >= number() OR flags & 1024 = 0 THEN splenomegaly END AS splenomegaly,
      CASE WHEN hemophagocytosis >= number() OR flags & 2048 = 0 THEN hemophagocytosis END AS hemophagocytosis
    FROM windows AS w LEFT JOIN worst USING (id)
  ), compared AS (
    SELECT *,
      CASE WHEN temperature >= at_least(506500) THEN true WHEN flags & 65537 = 0 AND temperature IS NOT NULL THEN false END AS fever_is,
      splenomegaly >= number() AS splenomegaly_is,
      CASE WHEN hemoglobin >= below(90000) THEN true
           WHEN hemoglobin < below(100000) AND flags & 131074 = 0 THEN false END AS hemoglobin_is,
      CASE WHEN platelets >= below(100000000) THEN true WHEN flags & 262148 = 0 AND platelets IS NOT NULL THEN false END AS platelets_is,
      CASE WHEN neutrophils >= below(1000000) THEN true WHEN flags & 524296 = 0 AND neutrophils IS NOT NULL THEN false END AS neutrophils_is,
      CASE WHEN unit_of(triglycerides) = 1 THEN
             CASE WHEN triglycerides >= at_least(26500000) THEN true WHEN flags & 134217760 = 0 THEN false END
           WHEN triglycerides >= at_least(26571000) THEN true
           WHEN flags & 2097184 = 0 AND triglycerides IS NOT NULL THEN false END AS triglycerides_is,
      CASE WHEN fibrinogen >= at_most(150000) THEN true WHEN flags & 4194368 = 0 AND fibrinogen IS NOT NULL THEN false END AS fibrinogen_is,
      CASE WHEN hemophagocytosis < number() THEN false WHEN flags & 3489660928 > 0 THEN true END AS hemophagocytosis_is,
      CASE WHEN ferritin >= at_least(500000) THEN true WHEN flags & 8388736 = 0 AND ferritin IS NOT NULL THEN false END AS ferritin_is,
      CASE WHEN unit_of(sil2r) = 0 THEN NULL
           WHEN sil2r >= at_least(2400000) THEN true WHEN flags & 16777472 = 0 AND sil2r IS NOT NULL THEN false END AS sil2r_is
    FROM known
  ), combined AS (
    SELECT *,
      CASE WHEN (hemoglobin_is IS TRUE)::INT + (platelets_is IS TRUE)::INT + (neutrophils_is IS TRUE)::INT >= 2 THEN true
           WHEN (hemoglobin_is IS FALSE)::INT + (platelets_is IS FALSE)::INT + (neutrophils_is IS FALSE)::INT >= 2 THEN false
      END AS cytopenias_is,
      triglycerides_is OR fibrinogen_is AS lipids_is,
      limit_of(hemoglobin, '<', '>') || CASE unit_of(hemoglobin)
        WHEN 0 THEN written(top() - scaled(hemoglobin), hemoglobin) || ' g/L'
        ELSE written((top() - scaled(hemoglobin)) // 10, hemoglobin) || ' g/dL' END AS hemoglobin_text,
      limit_of(platelets, '<', '>') || written((top() - scaled(platelets)) // 1000, platelets)
        || CASE unit_of(platelets) WHEN 0 THEN ' 10*9/L' ELSE ' 10*3/uL' END AS platelets_text,
      limit_of(neutrophils, '<', '>') || CASE unit_of(neutrophils)
        WHEN 0 THEN written(top() - scaled(neutrophils), neutrophils) || ' /uL'
        ELSE written((top() - scaled(neutrophils)) // 1000, neutrophils) || ' 10*9/L' END AS neutrophils_text,
      limit_of(triglycerides, '>', '<') || CASE unit_of(triglycerides)
        WHEN 0 THEN written(scaled(triglycerides) // 8857, triglycerides) || ' mmol/L'
        ELSE written(scaled(triglycerides) // 100, triglycerides) || ' mg/dL' END AS triglycerides_text,
      limit_of(fibrinogen, '<', '>') || CASE unit_of(fibrinogen)
        WHEN 0 THEN written(top() - scaled(fibrinogen), fibrinogen) || ' mg/dL'
        ELSE written((top() - scaled(fibrinogen)) // 100, fibrinogen) || ' g/L' END AS fibrinogen_text,
    FROM compared
  ), chosen AS (
    SELECT *,
      (fever_is IS TRUE)::INT + (splenomegaly_is IS TRUE)::INT + (cytopenias_is IS TRUE)::INT + (lipids_is IS TRUE)::INT
        + (hemophagocytosis_is IS TRUE)::INT + (ferritin_is IS TRUE)::INT + (sil2r_is IS TRUE)::INT AS met,
      1 + (fever_is IS NULL)::INT + (splenomegaly_is IS NULL)::INT + (cytopenias_is IS NULL)::INT + (lipids_is IS NULL)::INT
        + (hemophagocytosis_is IS NULL)::INT + (ferritin_is IS NULL)::INT + (sil2r_is IS NULL)::INT AS unknown,
      hemoglobin_is IS NOT DISTINCT FROM cytopenias_is AND hemoglobin IS NOT NULL AS by_hemoglobin,
      platelets_is IS NOT DISTINCT FROM cytopenias_is AND platelets IS NOT NULL AS by_platelets,
      neutrophils_is IS NOT DISTINCT FROM cytopenias_is AND neutrophils IS NOT NULL AS by_neutrophils,
      triglycerides_is IS NOT DISTINCT FROM lipids_is AND triglycerides IS NOT NULL AS by_triglycerides,
      fibrinogen_is IS NOT DISTINCT FROM lipids_is AND fibrinogen IS NOT NULL AS by_fibrinogen
    FROM combined
  )
  SELECT
    person_id,
    name AS anchor,
    'hlh-2004' AS criteria,
    CASE WHEN met >= 5 THEN 'met' WHEN met + unknown < 5 THEN 'not_met' ELSE 'indeterminate' END AS verdict,
    met,
    unknown,
    5 AS required,
    CAST(NULL AS DOUBLE) AS score_min,
    CAST(NULL AS DOUBLE) AS score_max,
    CASE WHEN met >= 5 OR met + unknown < 5 THEN 'count' END AS "by",
    true AS applicable,
    time AS anchor_time,
    status(fever_is) AS fever,
    limit_of(temperature, '>', '<') || CASE unit_of(temperature)
      WHEN 0 THEN written((scaled(temperature) - 160000) // 9, temperature) || ' Cel'
      ELSE written(scaled(temperature) // 5, temperature) || ' degF' END AS fever_value,
    moment(since, temperature) AS fever_time,
    status(splenomegaly_is) AS splenomegaly,
    CASE WHEN splenomegaly_is THEN 'yes' WHEN NOT splenomegaly_is THEN 'no' END AS splenomegaly_value,
    moment(since, splenomegaly) AS splenomegaly_time,
    status(cytopenias_is) AS cytopenias,
    NULLIF(concat_ws('; ', CASE WHEN by_hemoglobin THEN 'hemoglobin ' || hemoglobin_text END,
      CASE WHEN by_platelets THEN 'platelets ' || platelets_text END,
      CASE WHEN by_neutrophils THEN 'neutrophils ' || neutrophils_text END), '') AS cytopenias_value,
    moment(since, greatest(CASE WHEN by_hemoglobin THEN hemoglobin & 16777215 END, CASE WHEN by_platelets THEN platelets & 16777215 END,
      CASE WHEN by_neutrophils THEN neutrophils & 16777215 END)) AS cytopenias_time,
    status(lipids_is) AS lipids,
    NULLIF(concat_ws('; ', CASE WHEN by_triglycerides THEN 'triglycerides ' || triglycerides_text END,
      CASE WHEN by_fibrinogen THEN 'fibrinogen ' || fibrinogen_text END), '') AS lipids_value,
    moment(since, greatest(CASE WHEN by_triglycerides THEN triglycerides & 16777215 END,
      CASE WHEN by_fibrinogen THEN fibrinogen & 16777215 END)) AS lipids_time,
    status(hemophagocytosis_is) AS hemophagocytosis,
    sites(hemophagocytosis, flags) AS hemophagocytosis_value,
    moment(since, hemophagocytosis) AS hemophagocytosis_time,
    'unknown' AS nk_activity,
    CAST(NULL AS VARCHAR) AS nk_activity_value,
    CAST(NULL AS TIMESTAMP) AS nk_activity_time,
    status(ferritin_is) AS ferritin,
    limit_of(ferritin, '>', '<') || written(scaled(ferritin), ferritin)
      || CASE unit_of(ferritin) WHEN 0 THEN ' ug/L' ELSE ' ng/mL' END AS ferritin_value,
    moment(since, ferritin) AS ferritin_time,
    status(sil2r_is) AS sil2r,
    limit_of(sil2r, '>', '<') || written(scaled(sil2r), sil2r) || CASE unit_of(sil2r) WHEN 0 THEN ' pg/mL' ELSE ' U/mL' END AS sil2r_value,
    moment(since, sil2r) AS sil2r_time
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
      WHEN l.code NOT IN ('temperature', 'hemoglobin', 'platelets', 'neutrophils', 'triglycerides', 'fibrinogen', 'ferritin', 'sil2r', 'splenomegaly',
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
