#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# keep_messages.sh COMPILER ... -o OBJECT ...: runs the compiler and keeps its messages in OBJECT.messages; shows them only
# when it fails.
next_is_object=
for argument in "$@"; do
  [ -n "$next_is_object" ] && object=$argument
  next_is_object=
  [ "$argument" = -o ] && next_is_object=yes
done
"$@" > "$object.messages" 2>&1
status=$?
[ $status -eq 0 ] || cat "$object.messages" >&2
exit $status
