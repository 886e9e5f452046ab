# The file names old's database.
# shellcheck shell=bash
verify_step() {
  grep -qF -- "$(old_endpoint)" "$ENDPOINT_FILE" || grep -qF -- "$ENDPOINT_ADDRESS" "$ENDPOINT_FILE" || die "$ENDPOINT_FILE: should name the database $(old_endpoint)"
}
