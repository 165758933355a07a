#!/bin/sh
# Make the two roles and the database of docs/operations.md, once, as a superuser of the server. The passwords are in
# OWNER_PASSWORD and SERVICE_PASSWORD; where the server is, in PGHOST, PGPORT and PGUSER. The PostgreSQL of
# compose.yaml runs this by itself when it is new.
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
