-- The image of PostgreSQL runs this file once with psql, as the superuser, when it creates the
-- database. The role of the service reads and writes rows. Only the role of migrations
-- changes tables.
\set service_password `cat /run/secrets/database_password`
\set owner_password `cat /run/secrets/database_owner_password`

CREATE ROLE auth_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE auth LOGIN PASSWORD :'service_password';

CREATE DATABASE auth OWNER auth_owner;
REVOKE ALL ON DATABASE auth FROM PUBLIC;
GRANT CONNECT ON DATABASE auth TO auth;

\connect auth
ALTER SCHEMA public OWNER TO auth_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO auth;

ALTER DEFAULT PRIVILEGES FOR ROLE auth_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO auth;
ALTER DEFAULT PRIVILEGES FOR ROLE auth_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO auth;
