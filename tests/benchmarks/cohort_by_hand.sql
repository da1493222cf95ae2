-- The cohort of cohort_population.sql written by hand for DuckDB: the yardstick of the command. What both sets of criteria share;
-- {long}, {anchors} and {out} are files.
--
-- Of each analyte one BIGINT holds the worst value of a window, so that max() alone finds it, with its time and how it was written:
--   bit 59       a number, not a limit on the far side of it (a positive finding); what has none loses against all that have
--   bits 26-58   the value in whole units of a scale that holds every unit of the analyte exactly; where lower is worse, counted from the top
--   bits 24-25   1, 2: `>=`, `>` (where lower is worse `<=`, `<`); without bit 59: 0, 1: `<`, `<=` (or `>`, `>=`)
--   bits 4-23    second of the window
--   bits 2-3     unit
--   bits 0-1     3 less the decimals as written
-- `flags` is the bit_or() of: 0-11 what may be worse than any number (pending, not readable, a limit on the near side), by analyte;
-- 12-13 soluble IL-2 receptor in units, by mass (HScore: 12-14 as 16-27, of the second cut-off); 16-27 a limit on the far side that
-- may lie beyond a cut-off; 28-32 sites.

CREATE OR REPLACE TEMP MACRO number() AS 576460752303423488;                                -- 1 << 59
CREATE OR REPLACE TEMP MACRO top() AS 8589934591;                                           -- (1 << 33) - 1
CREATE OR REPLACE TEMP MACRO at_least(v) AS number() + v * 67108864::BIGINT;                      -- 1 << 26
CREATE OR REPLACE TEMP MACRO at_most(v) AS number() + (top() - v) * 67108864::BIGINT;
CREATE OR REPLACE TEMP MACRO below(v) AS at_most(v) + 33554432;                             -- 2 << 24
CREATE OR REPLACE TEMP MACRO scaled(key) AS (key >> 26) & 8589934591;
CREATE OR REPLACE TEMP MACRO unit_of(key) AS (key >> 2) & 3;
CREATE OR REPLACE TEMP MACRO written(thousandths, key) AS CASE key & 3
    WHEN 3 THEN CAST(thousandths // 1000 AS VARCHAR)
    WHEN 2 THEN CAST(CAST(thousandths // 100 AS DECIMAL(12, 0)) * 0.1 AS VARCHAR)
    WHEN 1 THEN CAST(CAST(thousandths // 10 AS DECIMAL(12, 0)) * 0.01 AS VARCHAR)
    ELSE CAST(CAST(thousandths AS DECIMAL(12, 0)) * 0.001 AS VARCHAR) END;
CREATE OR REPLACE TEMP MACRO limit_of(key, near, far) AS CASE
    WHEN key < number() THEN CASE (key >> 24) & 3 WHEN 0 THEN far ELSE far || '=' END
    WHEN (key >> 24) & 3 = 0 THEN '' WHEN (key >> 24) & 3 = 1 THEN near || '=' ELSE near END;
CREATE OR REPLACE TEMP MACRO moment(since, key) AS make_timestamp((since + ((key >> 4) & 1048575)) * 1000000);
CREATE OR REPLACE TEMP MACRO status(met) AS CASE WHEN met THEN 'met' WHEN NOT met THEN 'not_met' ELSE 'unknown' END;

CREATE OR REPLACE TEMP MACRO points(least, most) AS CASE WHEN least > 0 THEN 'met' WHEN most = 0 THEN 'not_met' ELSE 'unknown' END;
CREATE OR REPLACE TEMP MACRO above(v) AS at_least(v) + 33554432;                            -- 2 << 24
CREATE OR REPLACE TEMP MACRO sites(key, flags) AS CASE WHEN key < number() THEN 'no' WHEN key IS NOT NULL THEN
    CASE (flags >> 28) & 31 WHEN 1 THEN 'marrow' WHEN 2 THEN 'liver' WHEN 3 THEN 'liver, marrow'
    ELSE concat_ws(', ', CASE WHEN flags & 4294967296 > 0 THEN 'csf' END, CASE WHEN flags & 536870912 > 0 THEN 'liver' END,
      CASE WHEN flags & 2147483648 > 0 THEN 'lymph node' END, CASE WHEN flags & 268435456 > 0 THEN 'marrow' END,
      CASE WHEN flags & 1073741824 > 0 THEN 'spleen' END) END END;
