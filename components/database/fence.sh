# Who a fence keeps out: a role of the site's database alone cannot log in at all; one that serves other databases too is put into a
# group that pg_hba.conf rejects for the site's database. DATABASE, MOVE, ROLES are set above.
# shellcheck shell=bash

# That group. Its comment names the roles that the fence puts into it, one a line.
readonly FENCED=changeover_${MOVE}_fenced

# One text as an SQL literal.
literal() {
  local text=${1//\'/\'\'}
  printf "'%s'" "$text"
}

# The app's roles as an SQL list of literals.
ROLE_LIST=$(for role in "${ROLES[@]}"; do printf ', %s' "$(literal "$role")"; done)
readonly ROLE_LIST=${ROLE_LIST#, }

# SQL: those of them that serve other databases too, as an array.
readonly SHARED_ROLES="coalesce((select string_to_array(shobj_description(oid, 'pg_authid'), E'\\n') from pg_roles where rolname = '$FENCED'), '{}')"

# SQL: how many lines of pg_hba.conf reject the group.
readonly REJECTING_LINES="(select count(*) from pg_hba_file_rules where auth_method = 'reject' and '+$FENCED' = any (user_name) and error is null)"

# Makes the group.
make_fence_group() {
  sql postgres <<<"select 'create role \"$FENCED\" nologin' where not exists (select from pg_roles where rolname = '$FENCED') \\gexec"
}

# Finds out which roles serve other databases of this server too. It is kept, so that the fence does the same whenever it comes.
find_shared_roles() {
  sql --set=group="$FENCED" --set=name="$DATABASE" --set=roles="$(printf '%s\n' "${ROLES[@]}")" postgres <<SQL
select format('comment on role %I is %L', :'group', string_agg(distinct role, E'\n')) from ($ELSEWHERE) elsewhere \\gexec
SQL
}

# Removes the group, whoever is in it.
drop_fence_group() {
  sql postgres --command="drop role if exists \"$FENCED\""
}

# Statements that let the app's roles in no more.
fence_logins() {
  cat <<SQL
do \$\$ begin
  if $SHARED_ROLES <> '{}' and $REJECTING_LINES < 2 then
    raise exception 'pg_hba.conf has lost the lines that keep $FENCED out of the site''s database: go back to idle and forward again';
  end if;
end \$\$;
select case when role = any ($SHARED_ROLES) then format('grant %I to %I', '$FENCED', role) else format('alter role %I nologin', role) end
  from unnest(array[$ROLE_LIST]) role \\gexec
SQL
}

# Statements that let them in again.
unfence_logins() {
  cat <<SQL
select format('alter role %I login', rolname) from pg_roles where rolname in ($ROLE_LIST) \\gexec
select format('revoke %I from %I', '$FENCED', r.rolname) from pg_auth_members m join pg_roles r on r.oid = m.member
  where m.roleid = (select oid from pg_roles where rolname = '$FENCED') \\gexec
SQL
}

# Statements that end sessions, and wait until there are none: end_sessions CONDITION SECONDS, a condition on pg_stat_activity. A login
# that was let in before the fence and has not ended is no session yet, only a lock; after a second it is ended, whosever it is.
end_sessions() {
  cat <<SQL
do \$\$ declare
  began timestamptz := clock_timestamp();
  logins int[] := array(select pid from pg_locks where locktype = 'virtualxid');
begin
  loop
    perform pg_stat_clear_snapshot();
    logins := array(select pid from pg_locks where locktype = 'virtualxid' and pid = any (logins)
      except select pid from pg_stat_activity where state is distinct from 'starting');
    perform pg_terminate_backend(pid) from unnest(logins) pid where clock_timestamp() > began + interval '1 second';
    perform pg_stat_clear_snapshot();
    perform pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and $1;
    exit when not found and logins = '{}';
    if clock_timestamp() > began + interval '$2 seconds' then raise exception 'sessions of the app are left'; end if;
    perform pg_sleep(0.001);
  end loop;
end \$\$;
SQL
}
