#!/bin/sh
# Patroni runs this on the machine that becomes the primary, as `move-etcd-leader.sh on_role_change primary latchkey`:
# /etc/patroni/move-etcd-leader.sh. If the etcd of this machine is the leader of the three, another one becomes the leader.
# Otherwise the loss of the machine would also cost an election of etcd, which renews the lease of the lost primary: it
# would take 6 s longer until there is a new one.
set -eu
test "${2:-}" = primary || exit 0
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS="${ETCDCTL_ENDPOINTS:-http://127.0.0.1:2379}"
own=$(etcdctl endpoint status | awk -F ', ' '$5 == "true" { print $2 }') # endpoint, id, version, size, is leader, ...
test -n "$own" || exit 0
for other in $(etcdctl member list | awk -F ', ' -v own="$own" '$1 != own { print $1 }'); do
    etcdctl move-leader "$other" && exit 0
done
exit 1
