#!/bin/sh
# check-layers.sh SRC - every source says where it runs, and includes only go downwards.
#
# main -> cmd -> host -> stage.h, source.h -> init.h; everyone -> spec -> base. Prints each offence as
# FILE: TEXT, exits 1 if there was any. With --tap, or without arguments, it is a TAP test.
tap=false
[ $# -gt 0 ] || set -- --tap "${srcdir:-.}/src"
[ "${1-}" = --tap ] && tap=true && shift
cd "${1:?usage: check-layers.sh [--tap] SRC}" || exit 2

# may_include FILE: what FILE may include, as a pattern on the quoted path.
may_include() {
	case $1 in
	base/*) echo '^base/' ;;
	spec/*) echo '^(base|spec)/' ;;
	init/*) echo '^(base|spec|init)/' ;;
	stage/*) echo '^(base|spec|stage)/|^init/init\.h$' ;;
	host/*) echo '^(base|spec|host)/|^stage/(stage|source)\.h$|^init/init\.h$' ;;
	cmd/*) echo '^(base|spec|host|cmd)/' ;;
	main.c) echo '^(base|cmd)/' ;;
	*) echo '^$' ;; # not in a known folder: any include is an offence
	esac
}

# may_run FILE: the sides that FILE's layer has.
may_run() {
	case $1 in
	base/* | spec/*) echo 'any' ;;
	init/*) echo 'container' ;;
	stage/*) echo 'userns' ;;
	host/* | cmd/* | main.c) echo 'host' ;;
	*) echo 'any|host|userns|container' ;;
	esac
}

sources=$(find . -name '*.[ch]' | sed 's|^\./||' | sort)
[ -n "$sources" ] || {
	echo "no sources in $PWD"
	exit 2
}
offences=$(for f in $sources; do
	head -n 15 "$f" | grep -Eq "Side: +($(may_run "$f"))" || echo "$f: no \"Side: $(may_run "$f")\" line"
	sed -n 's/^# *include *"\(.*\)".*/\1/p' "$f" | grep -vE "$(may_include "$f")" |
		sed "s!^!$f: may not include !"
done)
if $tap; then
	echo 1..1
	[ -z "$offences" ] || printf '%s\n' "$offences" | sed 's/^/# /'
	[ -z "$offences" ] || printf 'not '
	echo "ok 1 every source says where it runs, and includes go downwards"
elif [ -n "$offences" ]; then
	printf '%s\n' "$offences"
fi
[ -z "$offences" ]
