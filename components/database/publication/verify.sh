# The publication is there, and every table's rows can be told apart.
# shellcheck shell=bash
verify_step() {
  inquire sql --set=name="changeover_$MOVE" "$DATABASE" <<<"select count(*) from pg_publication where pubname = :'name' and puballtables"
  [[ $ANSWERED == 1 ]] || die "database $DATABASE: should have a publication changeover_$MOVE for all tables"
  inquire tables_without_identity
  [[ -z $ANSWERED ]] || die "tables of $DATABASE without a replica identity: $(head -n 3 <<<"$ANSWERED" | cut -f 1 | tr '\n' ' ')"
}
