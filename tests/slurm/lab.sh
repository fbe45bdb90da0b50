#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lab.sh [--nodes N] [--cpus C] [--rate RATE] COMMAND...: runs COMMAND while a real Slurm (slurmctld, slurmd, munge) manages N hosts
# n1..nN, each with a name, a network and a /dev/shm of its own and C CPUs; RATE, such as 100mbit, limits each host's link. Jobs of
# the partition urgent preempt those of the partition main, the default.
# Everything lives in namespaces of its own: when COMMAND ends, the kernel ends every daemon and nothing is left.
# Exit 77, with the reason, where this machine cannot do that.
set -euo pipefail

skip() { echo "skipped: $1" >&2; exit 77; }

if [ -z "${WHORL_INSIDE_LAB:-}" ]; then
  [ "$(id -u)" -eq 0 ] || skip "a Slurm of its own needs root (network and process namespaces)"
  for program in slurmctld slurmd munged ip unshare nsenter; do
    command -v "$program" > /dev/null || skip "$program is missing: jobs/install_packages.sh --tests installs it"
  done
  unshare --mount --uts --net --pid --fork --propagation private bash -c '
    mkdir -p /run/netns && mount -t tmpfs netns /run/netns && ip netns add probe && ip link add probe type bridge && setpriv --clear-groups true' 2> /dev/null ||
    skip "this machine or container does not allow network namespaces, which the hosts of the Slurm are made of"
  lab=$(mktemp -d -t whorl-slurm.XXXXXX)
  trap 'rm -rf "$lab"' EXIT
  # Its own process namespace outlives no signal: unshare passes none on, so it is killed, and everything within with it.
  WHORL_INSIDE_LAB=$lab unshare --mount --uts --net --pid --fork --kill-child --mount-proc --propagation private bash "$0" "$@" &
  inside=$!
  trap 'kill -KILL "$inside" 2> /dev/null || true; wait "$inside" || true; rm -rf "$lab"' EXIT
  trap 'exit 143' TERM INT
  status=0
  wait "$inside" || status=$?
  exit "$status"
fi
lab=$WHORL_INSIDE_LAB
unset WHORL_INSIDE_LAB

nodes=2 cpus=2 rate=''
while [ $# -gt 0 ]; do
  case "$1" in
    --nodes) nodes=$2; shift 2 ;;
    --cpus) cpus=$2; shift 2 ;;
    --rate) rate=$2; shift 2 ;;
    *) break ;;
  esac
done

wait_until() {  # wait_until SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}

# This side is the host ctl, with a bridge; every node hangs on it by a cable (veth) of its own.
connect_hosts() {
  hostname ctl
  ip link set lo up
  mkdir -p /run/netns
  mount -t tmpfs netns /run/netns
  ip link add br0 type bridge
  ip addr add 10.77.0.254/24 dev br0
  ip link set br0 up
  { echo "127.0.0.1 localhost"; echo "10.77.0.254 ctl"; } > "$lab/hosts"
  for i in $(seq "$nodes"); do
    echo "10.77.0.$i n$i" >> "$lab/hosts"
    ip netns add "n$i"
    ip link add "v$i" type veth peer name eth0 netns "n$i"
    ip link set "v$i" master br0 up
    ip -n "n$i" link set lo up
    ip -n "n$i" addr add "10.77.0.$i/24" dev eth0
    ip -n "n$i" link set eth0 up
    [ -z "$rate" ] || tc -n "n$i" qdisc add dev eth0 root tbf rate "$rate" burst 256k latency 50ms
  done
  mount --bind "$lab/hosts" /etc/hosts
}

write_slurm_conf() {
  cat > "$lab/slurm.conf" << CONF
ClusterName=lab
SlurmctldHost=ctl(10.77.0.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$lab/run/munge.sock,cred_expire=5
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool/%n
TmpFS=$lab/tmp/%n
SlurmctldPidFile=$lab/run/slurmctld.pid
SlurmdPidFile=$lab/run/slurmd.%n.pid
SlurmctldLogFile=$lab/log/slurmctld.log
SlurmdLogFile=$lab/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
SlurmdTimeout=30
KillWait=5
NodeName=n[1-$nodes] CPUs=$cpus RealMemory=1000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP GraceTime=20
PartitionName=urgent Nodes=ALL PriorityTier=2 PreemptMode=OFF MaxTime=INFINITE State=UP
CONF
}

start_munge() {
  (umask 077; head -c 128 /dev/urandom > "$lab/munge/key")
  munged --key-file="$lab/munge/key" --socket="$lab/run/munge.sock" --pid-file="$lab/munge/pid" \
    --log-file="$lab/munge/log" --seed-file="$lab/munge/seed"
  wait_until 10 munge -S "$lab/run/munge.sock" -n
}

# Not by "ip netns exec": that mounts /sys anew, and slurmd then misses its cgroups.
# shellcheck disable=SC2016
start_node() {
  nsenter --net="/run/netns/$1" unshare --uts --mount bash -c '
    hostname "$1"; mount -t tmpfs shm /dev/shm; exec slurmd -N "$1"' _ "$1"
}

all_nodes_idle() { [ "$(sinfo -h -t idle -o %D)" = "$nodes" ]; }

chmod 755 "$lab"
mkdir -p "$lab"/{run,state,log,spool}
mkdir -m 700 "$lab/munge"
for i in $(seq "$nodes"); do mkdir -p "$lab/spool/n$i" "$lab/tmp/n$i"; done  # PMIx keeps its sockets in tmp
connect_hosts
write_slurm_conf
export SLURM_CONF=$lab/slurm.conf
start_munge
slurmctld -c
for i in $(seq "$nodes"); do start_node "n$i"; done
wait_until 30 all_nodes_idle || { sinfo -N -l; tail -n 20 "$lab"/log/*; echo "error: Slurm did not start" >&2; exit 1; }
"$@"
