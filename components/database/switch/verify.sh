# The app leads to new's own database, and users see no maintenance page.
# shellcheck shell=bash
verify_step() {
  grep -qF -- "$ENDPOINT_ADDRESS" "$ENDPOINT_FILE" || die "$ENDPOINT_FILE: should name the database $ENDPOINT_ADDRESS"
  [[ ! -e $(include_dir)/maintenance.conf ]] || die "the maintenance page should be gone"
  inquire sql --set=name="$DATABASE" postgres <<<"select count(*) from pg_database where datname = :'name'"
  [[ $ANSWERED == 1 ]] || die "the database $DATABASE should be on new"
}
