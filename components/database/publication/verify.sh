# The publication is there, and every table's rows can be told apart.
# shellcheck shell=bash
verify_step() {
  [[ $(sql --set=name="changeover_$MOVE" "$DATABASE" <<<"select count(*) from pg_publication where pubname = :'name' and puballtables") == 1 ]] ||
    die "database $DATABASE: should have a publication changeover_$MOVE for all tables"
  [[ -z $(tables_without_identity) ]] || die "tables of $DATABASE without a replica identity: $(tables_without_identity | head -n 3 | cut -f 1 | tr '\n' ' ')"
}
