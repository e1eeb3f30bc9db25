#!/bin/sh
# The report of the last whole shift as a page to print, and the KPIs that missed their target, a line each.
set -eu
ertis report shift -o "${1:-shift.html}"
ertis report shift --format csv | awk -F, 'NR == 1 || /,false,/'
