#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh PYTHON "MODULE ..." ARGUMENT...: runs Python with these arguments, or says that the test is
# skipped where one of the modules is missing.
python=$1 modules=$2
shift 2
for module in $modules; do
	if ! "$python" -c "import $module" 2>/dev/null; then
		echo "skipped: $python has no $module"
		exit 77
	fi
done
exec "$python" "$@"
