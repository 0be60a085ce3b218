#!/bin/sh
# make.sh system|user BINDIR - the unit moss@.service, for the system's or for the users' managers, to stdout.
# BINDIR is where moss is installed.
set -eu
here=$(dirname "$0")
case $1 in
system) bundles=/var/lib/moss target=multi-user.target user='' system='s/^@system@//' ;;
user) bundles=%h/.local/share/moss target=default.target user='--user ' system='/^@system@/d' ;;
*) exit 2 ;;
esac
sed -e "$system" -e "s|@bundles@|$bundles|g; s|@bindir@|$2|g; s|@target@|$target|; s|@user@|$user|" "$here/moss@.service.in"
