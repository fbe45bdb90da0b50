#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# hosts.sh [-n HOSTS] [-s SLOTS] [-l MICROSECONDS:MBIT] COMMAND...: runs the command where mpirun spreads its ranks over HOSTS
# (default 2) hosts of SLOTS (default 2) ranks each: network namespaces with their own name, address and /dev/shm on this machine.
# -l: they are joined by a link of this latency and bandwidth (needs delay_link, see delay_link.cpp, in WHORL_BIN), else by a bridge.
# All of it lives in private namespaces, and is gone when the command ends. Exits with 77, and says why, where it cannot run.
set -euo pipefail

hosts=2 slots=2 link=
while getopts n:s:l: option; do
  case $option in
    n) hosts=$OPTARG ;;
    s) slots=$OPTARG ;;
    l) link=$OPTARG ;;
    *) echo "usage: hosts.sh [-n HOSTS] [-s SLOTS] [-l MICROSECONDS:MBIT] COMMAND..." >&2; exit 2 ;;
  esac
done

skip() { echo "skipped: $1"; exit 77; }
if [ -z "${WHORL_INSIDE_HOSTS:-}" ]; then
  [ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
  for tool in ip unshare nsenter; do
    command -v $tool > /dev/null || skip "there is no $tool (packages iproute2 and util-linux)"
  done
  unshare --mount --uts --net --pid --fork --mount-proc true 2> /dev/null || skip "this container may not make namespaces"
  [ -z "$link" ] || [ -c /dev/net/tun ] || skip "the slow link needs /dev/net/tun"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  # The kernel ends every process inside with the first one.
  status=0
  WHORL_INSIDE_HOSTS=$folder unshare --mount --uts --net --pid --fork --kill-child --mount-proc --propagation private \
    bash "$0" "$@" || status=$?
  exit $status
fi
folder=$WHORL_INSIDE_HOSTS
unset WHORL_INSIDE_HOSTS
shift $((OPTIND - 1))

# This side, from which mpirun is started, is a host of its own on the bridge.
hostname launcher
ip link set lo up
mkdir -p /run/netns
mount -t tmpfs namespaces /run/netns
ip link add bridge0 type bridge
ip address add 10.77.0.254/24 dev bridge0
ip link set bridge0 up
{ echo "127.0.0.1 localhost"; echo "10.77.0.254 launcher"; } > "$folder/hosts"
for i in $(seq "$hosts"); do
  echo "10.77.0.$i host$i" >> "$folder/hosts"
  echo "host$i slots=$slots" >> "$folder/hostfile"
  mkdir -m 1777 "$folder/host$i"
  ip netns add "host$i"
  ip link add "port$i" type veth peer name eth0 netns "host$i"
  ip link set "port$i" master bridge0 up
  ip -n "host$i" link set lo up
  ip -n "host$i" address add "10.77.0.$i/24" dev eth0
  ip -n "host$i" link set eth0 up
done
mount --bind "$folder/hosts" /etc/hosts

if [ -n "$link" ]; then
  # shellcheck disable=SC2046  # one word for each host
  "$WHORL_BIN"/delay_link "${link%:*}" "${link#*:}" $(seq -f 'host%g' "$hosts")
  for i in $(seq "$hosts"); do
    ip -n "host$i" address add "10.78.0.$i/24" dev slow0
    ip -n "host$i" link set slow0 mtu 9000 up
  done
  export OMPI_MCA_btl_tcp_if_include=slow0
fi

# Open MPI starts its daemons with this in place of ssh: HOST COMMAND...
cat > "$folder/on_host" <<SCRIPT
#!/usr/bin/env bash
host=\$1
shift
exec nsenter --net="/run/netns/\$host" unshare --uts --mount bash -c \
  'hostname "\$1"; mount --bind "$folder/\$1" /dev/shm; shift; eval "\$*"' on_host "\$host" "\$@"
SCRIPT
chmod +x "$folder/on_host"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent=$folder/on_host OMPI_MCA_orte_default_hostfile=$folder/hostfile
"$@"
