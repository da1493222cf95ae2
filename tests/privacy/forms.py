"""Every command with every option and every form of its output, on planted inputs."""

from __future__ import annotations

import shlex

CALLS = [shlex.split(line) for line in """
--help
--version
check patient.yaml
check patient.yaml patient.json --color
check patient.yaml -c all --ascii --no-color
check patient.yaml -c own.yaml -c hscore --criteria-dir folder -f markdown
check patient.yaml -f csv
check patient.yaml -f jsonl
check patient.yaml --json
check patient.yaml -c all --json --exit-code
check patient.yaml -c marsh-2013
check patient.yaml -o out.txt
check patient.yaml -c own.yaml -o out.json
check patient.yaml -c of-a-folder --criteria-dir folder -o out.jsonl
check patient.yaml -o out.csv
check patient.yaml -c all -o out.md
check -
check fhir.json --window 7d --anchor first-ferritin
check fhir.json --map fhir.map.yaml -f csv
check fhir.json --json
check fhir.json --strict
check bulk -f markdown
check packet.json -f csv
check packet.json --from phenopacket --json
check wide.csv
check wide.csv --strict --json
check book.xlsx -f csv
check long.csv --map long.map.yaml --at 2016-05-02=Admission
check redcap.csv --dictionary dictionary.csv
check omop --json
check omop -f csv
convert fhir.json
convert fhir.json -o converted.yaml --force
convert fhir.json --map fhir.map.yaml --strict
convert bulk -o converted/ --force
convert packet.json --from phenopacket
convert packet.json -o packet.yaml --force
convert wide.csv --at 2016-05-02=Admission
convert wide.csv --guess
convert long.csv --guess -o guessed.yaml --force
convert long.csv --map long.map.yaml -o long.yaml --force
convert redcap.csv --dictionary dictionary.csv
convert redcap.csv --dictionary dictionary.csv --guess
convert book.xlsx --window 7d --anchor first-ferritin
convert omop --pseudonymize key.txt
convert fhir.json --pseudonymize key.txt -o case.yaml --force
criteria
criteria --criteria-dir folder
criteria hlh-2004
criteria marsh-2013
criteria marsh-2013 --markdown
criteria own.yaml
criteria own.yaml --markdown
criteria --diff hlh-2004 own.yaml
criteria test own.yaml
criteria test ohi
figure patient.yaml -o figure.svg
figure patient.yaml -c own.yaml -o figure.png
figure patient.yaml -c hscore --criteria-dir folder -o figure.pdf
figure fhir.json --from fhir --map fhir.map.yaml --window 7d --anchor first-ferritin -o fhir.svg
figure redcap.csv --dictionary dictionary.csv --at 2016-05-02=Admission -o redcap.svg
figure wide.csv --strict -o strict.svg
report patient.yaml -o report.html
report patient.yaml -c all -c own.yaml --criteria-dir folder -o all.html
report fhir.json --from fhir --map fhir.map.yaml --window 7d --anchor first-ferritin -o fhir.html
report redcap.csv --dictionary dictionary.csv --at 2016-05-02=Admission -o redcap.html
report wide.csv --strict -o strict.html
hazards
init
init --criteria
init -o template.yaml
observables
observables sil2r
schema
schema patient
schema results
schema criteria
cohort labs.csv
cohort labs.csv -o cohort.csv --rejects rejects.csv --force
cohort labs.csv --anchors anchors.csv --persons persons.csv --lookback 7d -c hlh-2004 -c hscore -o cohort.parquet --force
cohort labs.parquet --anchors on:ferritin -c own.yaml -o own.ndjson --rejects rejects.parquet --force --engine duckdb --memory 500MB
cohort labs.ndjson --first-met --criteria-dir folder -c of-a-folder
cohort labs.csv --partitions 2 -o parts --force
cohort omop -o omop.csv --rejects omop.rejects.csv --force
cohort bulk/Patient.ndjson bulk/Observation.ndjson -o bulk.csv --force
cohort mimic/labevents.csv --map mimic/items.csv -o mimic.csv --rejects mimic.rejects.ndjson --force
cohort --sql duckdb
cohort --sql spark -c hscore
cohort --sql postgres -c own.yaml
cohort summary cohort.csv
cohort summary cohort.parquet --json
cohort summary cohort.parquet --format markdown -c hlh-2004
cohort summary parts --ascii --figure flow.svg
cohort summary cohort.csv --figure flow.png
cohort summary cohort.csv --figure flow.pdf
""".strip().splitlines()]  # fmt: skip
