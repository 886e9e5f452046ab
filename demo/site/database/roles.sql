-- Roles and the database, once; the password on every run.
\set ON_ERROR_STOP on
\set password `printenv SHOP_PASSWORD`
SELECT 'CREATE ROLE shop LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop') \gexec
SELECT 'CREATE ROLE shop_report NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_report') \gexec
ALTER ROLE shop PASSWORD :'password';
SELECT $$CREATE DATABASE shop OWNER shop TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'$$
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'shop') \gexec
ALTER DATABASE shop SET timezone = 'Europe/Berlin';
ALTER ROLE shop IN DATABASE shop SET search_path = public, audit;
