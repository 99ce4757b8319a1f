# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced by tests in bash that go on after a failure; they end with: exit $failed
# shellcheck shell=bash disable=SC2034 # what sources it reads $failed
failed=0
expect() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then
		echo "ok      $what"
	else
		echo "FAILED  $what"
		failed=1
	fi
}
