#!/usr/bin/env bash
# matrix.sh - the tables of docs/engines.md, from what run.sh wrote to RESULTS.
#
# usage: matrix.sh --write DOC MOSS.tsv RUNC.tsv CRUN.tsv   put them between the two marks in DOC
#        matrix.sh --check MOSS.tsv DOC                     DOC has a row for each of these results, and none failed
#        matrix.sh --names DOC                              DOC has the scenarios of the scripts beside this one
# Exit status 1 with what differs.
set -u
here=$(dirname "$(realpath "$0")")
begin='<!-- begin of what tests/clients/matrix.sh writes -->'
end='<!-- end of what tests/clients/matrix.sh writes -->'

# tables MOSS RUNC CRUN: one table for each engine.
tables() {
	awk -F '\t' '
		FNR == 1 { file++ }
		{
			gsub(/\|/, "\\|")
			row = $1 "\t" $3
			if (file == 1 && !(row in seen)) {
				seen[row] = 1
				if (!($1 in count)) engines[++total] = $1
				names[$1, ++count[$1]] = $3
			}
			kinds[$1, $2] = 1
			cell[file, row, $2] = $4 == "pass" ? "pass" : $4 == "fail" ? "**fails**" : substr($4, 7)
			if (file > 1 && $4 == "fail") cell[file, row, $2] = "no"
			sum[file, $1, $2] += $4 == "pass"
		}
		function line(engine, name, header,    text, runtime, kind) {
			text = "| " name " |"
			for (runtime = 1; runtime <= 3; runtime++)
				for (kind = 1; kind <= 2; kind++) {
					if (!((engine, word[kind]) in kinds)) continue
					if (header == 1) text = text " " who[runtime] (((engine, "rootless") in kinds) ? ", " word[kind] : "") " |"
					else if (header == 2) text = text "---|"
					else if (header == 3) text = text " " (sum[runtime, engine, word[kind]] + 0) " |"
					else if ((runtime, engine "\t" name, word[kind]) in cell) text = text " " cell[runtime, engine "\t" name, word[kind]] " |"
					else text = text ((1, engine "\t" name, word[kind]) in cell ? " no |" : " – |") # not reached: nothing works there
				}
			return text
		}
		END {
			split("moss runc crun", who, " ")
			split("root rootless", word, " ")
			for (i = 1; i <= total; i++) {
				engine = engines[i]
				print "\n### " engine "\n"
				print line(engine, "scenario", 1)
				print line(engine, "---", 2)
				for (j = 1; j <= count[engine]; j++) print line(engine, names[engine, j], 0)
				print line(engine, "**passed**", 3)
			}
		}' "$@" | sed 's/^| --- |/|---|/'
}

# rows DOC: ENGINE and scenario, by a tab.
rows() {
	awk -v begin="$begin" -v end="$end" '$0 == end { inside = 0 } inside; $0 == begin { inside = 1 }' "$1" | awk -F ' [|] ' '
		/^### / { engine = substr($0, 5); next }
		/^\| scenario|^\|---|^\| \*\*passed/ || !/^\| / { next }
		{ name = substr($1, 3); gsub(/\\\|/, "|", name); print engine "\t" name }'
}

# names: ENGINE and scenario of the scripts.
names() {
	local engine

	for engine in podman buildah ctr docker; do
		sed -nE "s/^[[:space:]]*(\[ \"\\\$kind\" = root \] \|\| )?(check|scenario|skip) \"([^\"]*)\".*/$engine\t\3/p" "$here/$engine.sh"
	done
	grep -oE '\{"[^"]*", [a-zA-Z]+\}' "$here/gorunc.go" | sed -E 's/^\{"([^"]*)".*/gorunc\t\1/'
}

case ${1-} in
--write)
	tables "$3" "$4" "$5" >"$2.tables" || exit 1
	awk -v begin="$begin" -v end="$end" -v tables="$2.tables" '
		$0 == end { while ((getline text < tables) > 0) print text; print ""; inside = 0 }
		!inside { print }
		$0 == begin { inside = 1 }' "$2" >"$2.new" && mv "$2.new" "$2"
	rm -f "$2.tables"
	;;
--check)
	problems=$(
		comm -23 <(awk -F '\t' '$3 != "all scenarios" { print $1 "\t" $3 }' "$2" | sort -u) <(rows "$3" | sort -u) |
			sed 's/^/not in the document: /'
		awk -F '\t' '$4 == "fail" { print "fails: " $1 " " $2 ": " $3 }' "$2"
	)
	[ -z "$problems" ] || { head -n 20 <<<"$problems" && exit 1; }
	;;
--names)
	problems=$(comm -3 <(names | sort -u) <(rows "$2" | sort -u) | sed 's/^\t/only in the document: /; t; s/^/only in the scripts: /')
	[ -z "$problems" ] || { head -n 20 <<<"$problems" && exit 1; }
	[ "$(rows "$2" | wc -l)" -gt 200 ] || { echo "too few rows" && exit 1; }
	;;
*)
	echo "usage: matrix.sh --write DOC MOSS.tsv RUNC.tsv CRUN.tsv | --check MOSS.tsv DOC | --names DOC" >&2
	exit 2
	;;
esac
