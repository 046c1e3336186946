#!/bin/bash
# mopo data info and check: what they print, and their exit codes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

echo '# a file that is right'
exits 0 0 collect right.hdf5 task=pointmass --rows 1500
verdict 'collect' $?
exits 0 0 data check right.hdf5 task=pointmass
verdict 'check' $?
check 'no finding' grep -qE '^[0-9]+ checks: 0 errors, 0 warnings, 0 notes$' out
exits 0 0 data check right.hdf5
verdict 'check without a task' $?
check 'the task is guessed' grep -q 'task pointmass (guessed' out
exits 0 3 data check right.hdf5 task=pointmass --json
verdict 'check --json, 3 ranks' $?
check 'is one JSON object' python3 -c '
import json, sys
top = json.load(open(sys.argv[1]))
assert top["errors"] == 0 and top["task"] == "pointmass" and top["rows"] == 1500 and top["findings"] == []' out
exits 0 0 data info right.hdf5 --json
verdict 'info --json' $?
check 'is one JSON object, too' python3 -c '
import json, sys
top = json.load(open(sys.argv[1]))
assert top["rows"] == 1500 and len(top["states"]) == 4 and len(top["digest"]) == 32
assert top["return"]["min"] <= top["return"]["q25"] <= top["return"]["max"]' out

echo '# files that are wrong: exit 76'
exits 76 0 data check right.hdf5 task=hopper
verdict 'another task' $?
check 'is named' grep -q 'set task=pointmass' out
exits 0 0 collect ant.hdf5 task=ant env.gym_version=v4 --rows 300
verdict 'an ant of gym v4' $?
exits 0 0 data check ant.hdf5
verdict 'without a task' $?
words=$(grep -o 'task=ant .*' out)
check 'all settings it needs are named' test "$words" = 'task=ant env.inertia=exact env.ant_observation=27'
# shellcheck disable=SC2086
exits 0 0 data check ant.hdf5 $words
verdict 'with them it is right' $?
check 'and says nothing' grep -q '0 errors, 0 warnings, 0 notes' out
exits 76 0 data check ant.hdf5 task=ant
verdict 'with the usual ones it is not' $?
check 'the setting is named' grep -q 'set env.ant_observation=27' out
check 'one is one' test "$(grep -c '1 errors\|1 kinds' out err)" = $'out:0\nerr:0'
cat >table.py <<'PYTHON'
import math

print("observations_0,observations_1,actions_0,rewards,terminals,timeouts")
for i in range(600):
    episode, t = divmod(i, 60)
    x, y = math.sin(0.1 * t + episode), math.cos(0.1 * t + episode)
    print(f"{x},{y},{3 * math.sin(i * i)},{t},0,{int(t == 59)}")
PYTHON
python3 table.py >table.csv
exits 76 0 data check table.csv task=none
verdict 'actions of another unit in a table' $?
check 'are told, with what cures it' grep -q 'data.action_low' out
exits 0 0 data check table.csv task=none data.action_low=-3 data.action_high=3
verdict 'with their limits set' $?
head -c 20000 right.hdf5 >cut.hdf5
exits 76 0 data check cut.hdf5 task=pointmass
verdict 'a file that was cut' $?
exits 2 0 data look right.hdf5
verdict 'an unknown action' $?
exits 0 0 data convert right.hdf5 same.hdf5
verdict 'convert is there' $?
exits 2 0 data convert right.hdf5 same.csv
verdict 'but not into a table' $?
exits 2 0 data relabel right.hdf5 other.hdf5
verdict 'relabel wants a task' $?
finish
