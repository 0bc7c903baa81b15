#!/usr/bin/env bash
# A complete Slurm in one temporary folder: munge, a controller, and nodes with two GPUs each that only have their names. It needs no
# systemd, cgroups or database, and changes no file outside of its folder. It needs root and Debian's packages slurmctld, slurmd,
# slurm-client, munge and slurm-wlm-basic-plugins.
#
#   cluster.sh [SETTING…] -- COMMAND…   runs the command with SLURM_CONF set, then ends the cluster
#   cluster.sh [SETTING…]               prints the path of slurm.conf, then obeys lines of stdin and answers each with `ok`:
#                                           kill NAME    kills a daemon: `ctld`, or a node such as `n1`
#                                           crash NODE   kills a node's daemon and everything that runs on the node
#                                           start NAME   starts a daemon again
#                                       the cluster ends when stdin does
#
# A setting is `nodes=N`, `cpus=N` (of a node), KEY=VALUE of slurm.conf (`KillWait=30`), or, for the partition that jobs use by default,
# `low.KEY=VALUE` (`low.GraceTime=20`). Jobs of the partition `high` preempt those of `low`.
set -euo pipefail

declare -A set=([nodes]=2 [cpus]=8)
declare -A conf=(
    [AccountingStorageType]=accounting_storage/none [ClusterName]=test [GresTypes]=gpu [JobAcctGatherType]=jobacct_gather/none
    [JobRequeue]=1 [KillWait]=5 [MaxArraySize]=1001 [MpiDefault]=none [PreemptMode]=REQUEUE [PreemptType]=preempt/partition_prio
    [ProctrackType]=proctrack/linuxproc [ReturnToService]=2 [SchedulerParameters]=sched_interval=1,bf_interval=1,batch_sched_delay=0
    [SelectType]=select/cons_tres [SelectTypeParameters]=CR_CPU [SlurmUser]=root [SlurmdParameters]=config_overrides
    [SlurmdTimeout]=10 [SlurmdUser]=root [TaskPlugin]=task/none
)
low="" serves=yes
while [[ $# -gt 0 ]]; do
    case "$1" in
    --) serves=no; shift; break ;;
    nodes=* | cpus=*) set[${1%%=*}]=${1#*=} ;;
    low.*=*) low+=" ${1#low.}" ;;
    *=*) conf[${1%%=*}]=${1#*=} ;;
    *) echo "cluster.sh: \`$1\` is no setting: KEY=VALUE" >&2; exit 2 ;;
    esac
    shift
done
nodes=()
for number in $(seq "${set[nodes]}"); do nodes+=("n$number"); done

folder=$(mktemp -d)
chmod 755 "$folder"
mkdir -p "$folder"/{state,log}
mkdir -m 700 "$folder/munge"
for name in "${nodes[@]}"; do ln -s . "$folder/on-$name"; done
declare -A daemons=()

# Returns the processes whose environment contains this text: the daemons, and all that they have started.
processes_with() { { grep -lsF -- "$1" /proc/[0-9]*/environ || true; } | cut -d / -f 3; }

end() {
    exec 2>/dev/null # the shell reports each killed daemon
    local process
    for _ in 1 2 3; do # a process may start another one meanwhile
        for process in $(processes_with "SLURM_CONF=$folder/"); do kill -9 "$process" || true; done
    done
    wait || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

start() {
    case "$1" in
    munge)
        munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge.sock" --pid-file="$folder/munge/pid" \
            --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" >/dev/null 2>&1 &
        ;;
    ctld) slurmctld -D >"$folder/log/ctld.out" 2>&1 & ;;
    # the path of slurm.conf tells the processes of a node from those of others: `on-n1` leads to the same folder
    n*) SLURM_CONF="$folder/on-$1/slurm.conf" slurmd -D -N "$1" >"$folder/log/$1.out" 2>&1 & ;;
    esac
    daemons[$1]=$!
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Chooses ports that nobody listens on, below those that systems give to outgoing connections.
choose_ports() {
    local port all_free
    while :; do
        base=$((20000 + (RANDOM * 32768 + RANDOM) % 1200 * 10)) all_free=yes
        for port in $(seq "$base" $((base + ${#nodes[@]}))); do is_free "$port" || all_free=no; done
        [[ "$all_free" == no ]] || return 0
    done
}

configure() {
    local key number
    {
        for key in "${!conf[@]}"; do echo "$key=${conf[$key]}"; done | sort
        cat <<CONF
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$base
AuthInfo=socket=$folder/munge.sock
SlurmctldPidFile=$folder/ctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmdSpoolDir=$folder/%n
StateSaveLocation=$folder/state
SlurmctldLogFile=$folder/log/ctld
SlurmdLogFile=$folder/log/%n
CONF
        for number in "${!nodes[@]}"; do
            echo "NodeName=${nodes[$number]} NodeAddr=127.0.0.1 Port=$((base + 1 + number)) CPUs=${set[cpus]} RealMemory=64000 Gres=gpu:2 State=UNKNOWN"
        done
        echo "PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1$low"
        echo "PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF"
    } >"$folder/slurm.conf"
    # two devices that exist everywhere: Slurm hands out their numbers
    echo "NodeName=n[1-${#nodes[@]}] Name=gpu File=/dev/tty[0-1]" >"$folder/gres.conf"
}

is_ready() {
    for _ in $(seq 200); do
        [[ "$(sinfo --noheader --partition=low --Node --format=%t 2>/dev/null | grep -cx idle)" == "${#nodes[@]}" ]] && return 0
        kill -0 "${daemons[ctld]}" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 400 "$folder/munge/key"
export SLURM_CONF="$folder/slurm.conf"
start munge
for attempt in 1 2 3; do # somebody else may take a port first
    choose_ports
    configure
    for name in ctld "${nodes[@]}"; do start "$name"; done
    is_ready && break
    if [[ "$attempt" == 3 ]]; then
        echo "cluster.sh: the cluster has not started" >&2
        tail -n 20 "$folder"/log/* >&2
        exit 1
    fi
    for name in ctld "${nodes[@]}"; do kill -9 "${daemons[$name]}" 2>/dev/null || true; done
    rm -rf "$folder/state" && mkdir "$folder/state"
done

if [[ "$serves" == no ]]; then
    "$@"
    exit
fi
echo "$SLURM_CONF"
while read -r action name; do
    case "$action" in
    kill | crash)
        { kill -9 "${daemons[$name]}" && wait "${daemons[$name]}"; } 2>/dev/null || true
        if [[ "$action" == crash ]]; then
            for process in $(processes_with "SLURM_CONF=$folder/on-$name/"); do kill -9 "$process" 2>/dev/null || true; done
        fi
        ;;
    start) start "$name" ;;
    *) echo "cluster.sh: \`$action\` is no action" >&2; exit 2 ;;
    esac
    echo ok
done
