#!/bin/sh
# Create the two roles and the database of docs/operations.md. Run it once, as a superuser of the database server.
# Passwords: OWNER_PASSWORD and SERVICE_PASSWORD. Server: PGHOST, PGPORT and PGUSER. In compose.yaml, PostgreSQL runs this
# file by itself when its volume is new.
set -eu
export PGUSER="${PGUSER:-${POSTGRES_USER:-postgres}}"
psql --no-psqlrc --quiet --dbname=postgres --set=ON_ERROR_STOP=1 \
    --set=owner="${OWNER_PASSWORD:?is not set}" --set=service="${SERVICE_PASSWORD:?is not set}" <<'SQL'
CREATE ROLE latchkey_owner LOGIN PASSWORD :'owner';
CREATE ROLE latchkey LOGIN PASSWORD :'service';
CREATE DATABASE latchkey OWNER latchkey_owner;
\c latchkey
REVOKE ALL ON DATABASE latchkey FROM PUBLIC;
GRANT CONNECT ON DATABASE latchkey TO latchkey;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO latchkey_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE latchkey_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO latchkey;
SQL
