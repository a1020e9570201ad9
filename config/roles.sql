-- The two roles and the one database, run by psql as a superuser; running it again changes nothing.
-- exit_owner owns the schema and migrates. exit_app is the product: it owns nothing and bypasses nothing.
-- Passwords come from the environment; where there are none (a socket that only its owner can open) the roles have none.

\set ON_ERROR_STOP on
\set owner_password ''
\set app_password ''
\getenv owner_password EXIT_OWNER_PASSWORD
\getenv app_password EXIT_APP_PASSWORD

SET client_min_messages = warning;

SELECT 'CREATE ROLE exit_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exit_owner') \gexec
SELECT 'CREATE ROLE exit_app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exit_app') \gexec

ALTER ROLE exit_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE exit_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';

SELECT 'CREATE DATABASE exit_approvals OWNER exit_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'exit_approvals') \gexec

REVOKE ALL ON DATABASE exit_approvals FROM PUBLIC;
GRANT CONNECT ON DATABASE exit_approvals TO exit_app;

\connect exit_approvals
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO exit_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO exit_app;
