#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# killed.sh [TRIALS]: ingests are killed at random moments (kill -9 of one rank or of all), some of them again while they resume, and
# finished by --resume on other numbers of ranks; the file must be the one of an undisturbed job. WHORL_KILLED_INPUT: pictures to use
# instead of drawn ones, of which a few are broken; SEED: repeats a run.
. "$WHORL_TESTS/e2e/ingest/common.sh"

trials=${1:-6}
RANDOM=${SEED:-$$}
echo "SEED=${SEED:-$$}"
if [ -z "${WHORL_KILLED_INPUT:-}" ]; then
  "$WHORL_BIN/make_pictures" tree 3 100
  head -c 300 tree/flowers/class-1/picture-007.jpg >tree/flowers/class-1/broken.jpg
  tar cf pictures.tar tree
fi
input=${WHORL_KILLED_INPUT:-pictures.tar}

cat >noting.sh <<SCRIPT
#!/usr/bin/env bash
echo \$\$ >"pid-\$OMPI_COMM_WORLD_RANK"
exec "$ingest" "\$@"
SCRIPT
chmod +x noting.sh
launch=(./noting.sh)

job() { with_ranks "$1" --input "$input" --output out.h5 --store "$2" "${@:3}"; }

# The undisturbed files, how long they take, and how much a whole journal is.
took=()
for store in pixels jpeg; do
  start=$(date +%s%N)
  job 2 $store >log 2>&1 || fail "undisturbed, $store"
  took+=($((($(date +%s%N) - start) / 1000000)))
  journal=$((32 * $(awk '$1 == "all" { print $2 + $3 }' log)))
  mv out.h5 "$store.h5"
done

# wait_for PID MILLISECONDS: that time, or in two of three calls, until a random share of the pictures is journaled or the job through.
wait_for() {
  local bytes=$((RANDOM % journal))
  if [ $((RANDOM % 3)) -eq 0 ]; then
    sleep "$(($2 / 1000)).$(printf %03d $(($2 % 1000)))"
    return
  fi
  while kill -0 "$1" 2>/dev/null && [ "$(cat out.h5.partial-*/journal-* 2>/dev/null | wc -c)" -lt "$bytes" ]; do sleep 0.005; done
}

# killed RANKS STORE MILLISECONDS one|all ARGS...: a job that is killed at a random moment, if it is not through before.
killed() {
  local ranks=$1 store=$2 most=$3 whom=$4 pid victims
  shift 4
  rm -f pid-*
  mpirun -n "$ranks" "${launch[@]}" --input "$input" --output out.h5 --store "$store" "$@" >log 2>&1 &
  pid=$!
  wait_for $pid "$most"
  victims=$(cat pid-* 2>/dev/null || true)
  if [ "$whom" = one ]; then
    victims=$(echo "$victims" | shuf -n 1)
  else
    kill -9 $pid 2>/dev/null || true
  fi
  # shellcheck disable=SC2086
  [ -z "$victims" ] || kill -9 $victims 2>/dev/null || true
  wait $pid 2>/dev/null && through=$((through + 1)) || true
  # Nobody may be left who still writes.
  for _ in $(seq 100); do
    # shellcheck disable=SC2046
    kill -0 $(cat pid-* 2>/dev/null) 2>/dev/null || break
    sleep 0.1
  done
}

through=0 restored=0 resumed=0
for trial in $(seq "$trials"); do
  whom=one store=pixels milliseconds=${took[0]}
  [ $((RANDOM % 2)) -eq 0 ] || whom=all
  [ $((RANDOM % 2)) -eq 0 ] || store=jpeg milliseconds=${took[1]}
  ranks=$((RANDOM % 4 + 1)) again=$((RANDOM % 4 + 1))
  killed $ranks $store $((RANDOM % milliseconds)) $whom
  if [ $((RANDOM % 3)) -eq 0 ]; then killed $((RANDOM % 4 + 1)) $store $((RANDOM % milliseconds)) $whom --resume; fi
  job $again $store --resume >log 2>&1 || fail "trial $trial: $store on $ranks ranks, killed $whom, cannot be resumed on $again"
  cmp "$store.h5" out.h5 || fail "trial $trial: $store on $ranks ranks, killed $whom, resumed on $again: another file"
  [ "$(find . -name 'out.h5*')" = ./out.h5 ] || fail "trial $trial: left behind: $(find . -name 'out.h5*')"
  pictures=$(sed -n 's/^resuming: \([0-9]*\) of .*/\1/p' log)
  [ -z "$pictures" ] || resumed=$((resumed + 1)) restored=$((restored + pictures))
  rm out.h5
done
echo "$trials trials, $trials identical; in $resumed of them pictures were taken over ($restored in all); $through jobs were through before they were killed"
