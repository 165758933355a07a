#!/bin/sh
# Create the two roles and the database of docs/operations.md, as a superuser of the database server. Run it again to set
# other passwords. Passwords: OWNER_PASSWORD and SERVICE_PASSWORD, exported. Server: PGHOST, PGPORT and PGUSER. In
# compose.yaml, PostgreSQL runs this file by itself when its volume is new.
set -eu
: "${OWNER_PASSWORD:?is not set}" "${SERVICE_PASSWORD:?is not set}"
export OWNER_PASSWORD SERVICE_PASSWORD PGUSER="${PGUSER:-${POSTGRES_USER:-postgres}}"
# psql reads the passwords out of its environment: other users see the arguments of a process. And PostgreSQL logs none of
# these statements, not even one that fails.
export PGOPTIONS="${PGOPTIONS:-} -c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c log_min_duration_sample=-1 -c log_transaction_sample_rate=0"
psql --no-psqlrc --quiet --dbname=postgres --set=ON_ERROR_STOP=1 <<'SQL'
\set owner `printf %s "$OWNER_PASSWORD"`
\set service `printf %s "$SERVICE_PASSWORD"`
SELECT 'CREATE ROLE latchkey_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'latchkey_owner') \gexec
SELECT 'CREATE ROLE latchkey LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'latchkey') \gexec
ALTER ROLE latchkey_owner PASSWORD :'owner';
ALTER ROLE latchkey PASSWORD :'service';
SELECT 'CREATE DATABASE latchkey OWNER latchkey_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'latchkey') \gexec
\c latchkey
REVOKE ALL ON DATABASE latchkey FROM PUBLIC;
GRANT CONNECT ON DATABASE latchkey TO latchkey;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO latchkey_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE latchkey_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO latchkey;
ALTER DEFAULT PRIVILEGES FOR ROLE latchkey_owner IN SCHEMA public GRANT SELECT ON SEQUENCES TO latchkey;
SQL
