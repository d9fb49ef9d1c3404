# bash completion for ca-tool.  Commands and options are asked of the program
# itself, so nothing is listed here.

_ca_tool()
{
	local current=${COMP_WORDS[COMP_CWORD]}
	local typed="${COMP_WORDS[*]:1:COMP_CWORD-1}"
	local -a words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
	local names rest

	names=$(ca-tool help --list 2>/dev/null) || return
	COMPREPLY=()

	# The word that comes next in the names that begin like this.
	rest=$(sed -n "s/^${typed:+$typed }//p" <<<"$names" |
		cut -d' ' -f1 | uniq)
	if [[ -n $rest && (${#words[@]} -eq 0 || ${#words[@]} -eq 1) ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$rest" -- "$current")
		return
	fi
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(ca-tool help --list "${words[@]:0:2}" 2>/dev/null)" \
			-- "$current")
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
		return
	fi
	if [[ $typed == 'plan new' ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(ca-tool plan new --list \
			2>/dev/null | sed -n 's/^  \([a-z-]\+\) .*/\1/p')" \
			-- "$current")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -o filenames -F _ca_tool ca-tool
