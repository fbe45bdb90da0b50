# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# To be sourced: what the tests over several hosts share.
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

# on_hosts [OPTIONS OF hosts.sh] COMMAND...: its output goes to `output`; returns its status. Ends the test where there can be no hosts.
on_hosts() {
  local status=0
  timeout --signal=KILL 100 "$WHORL_TESTS/support/hosts.sh" "$@" > output 2>&1 || status=$?
  if [ "$status" -eq 77 ]; then
    cat output
    exit 77
  fi
  return "$status"
}
