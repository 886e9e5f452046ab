# Leads the app on new to old's database.
# shellcheck shell=bash
do_step() {
  save_path "$ENDPOINT_FILE"
  set_endpoint "$ENDPOINT_ADDRESS" "$(old_endpoint)"
}
