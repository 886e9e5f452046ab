# In phase `prepared` nobody uses the app on new: nothing of it has to wait.
# shellcheck shell=bash
pause_app() {
  :
}
resume_app() {
  :
}
